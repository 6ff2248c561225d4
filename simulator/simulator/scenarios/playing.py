"""Plays a scenario step by step, and says what differed."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

from simulator.scenarios.chat import Chat, Refused
from simulator.scenarios.scenario import NEW, Expect, Scenario, Step, Tap
from simulator.transcript import ChannelName, DeliveryStatus, Message

POLL_SECONDS = 0.05
SHOWN_MESSAGES = 8


class Differs(AssertionError):
    """The product did something else than the scenario says."""


class StepFailed(AssertionError):
    def __init__(self, scenario: Scenario, position: int, reason: str, chat: list[str]) -> None:
        step = scenario.steps[position].model_dump(mode="json", exclude_unset=True)
        super().__init__(
            "\n".join(
                [
                    f"{scenario.name}: step {position + 1} of {len(scenario.steps)} failed",
                    f"  step: {step}",
                    f"  {reason}",
                    "  the chat:",
                    *(f"    {line}" for line in chat[-SHOWN_MESSAGES:]),
                ]
            )
        )


@dataclass(slots=True)
class Play:
    """Where a scenario stands: whose phone it is, and how many messages were looked at."""

    chat: Chat
    phone: str
    channel: ChannelName | None
    seen: Counter[str] = field(default_factory=Counter)

    async def messages(self) -> list[Message]:
        return await self.chat.transcript(self.phone, self.channel)

    async def from_bot(self) -> list[Message]:
        return [m for m in await self.messages() if m.sender == "bot"]

    async def say(self, said: dict[str, object]) -> None:
        chosen = {"channel": self.channel} if self.channel else {}
        await self.chat.say(self.phone, chosen | said)


async def play(scenario: Scenario, url: str) -> None:
    async with aiohttp.ClientSession() as session:
        phone = _unused_number() if scenario.phone == NEW else scenario.phone
        stand = Play(Chat(session, url), phone, scenario.channel)
        if scenario.person:
            await stand.chat.call("PUT", f"/phones/{stand.phone}", {"name": scenario.person})
        stand.seen[stand.phone] = len(await stand.from_bot())
        for position, step in enumerate(scenario.steps):
            try:
                await _do(step, stand)
            except (Differs, Refused) as error:
                chat = [_line(message) for message in await stand.messages()]
                raise StepFailed(scenario, position, str(error), chat) from error


def _unused_number() -> str:
    """The product may know everybody whom the simulator has forgotten, so it is a random one."""
    return f"55119{random.randrange(10**8):08}"


async def _do(step: Step, stand: Play) -> None:
    if step.say is not None:
        await stand.say({"text": step.say})
    elif step.tap is not None:
        await _tap(step.tap if isinstance(step.tap, Tap) else Tap(option=step.tap), stand)
    elif step.send is not None:
        await stand.say({**step.send})
    elif step.expect is not None:
        await _expect(step.expect, stand)
    elif step.silence is not None:
        await _silence(step.silence, stand)
    elif step.channel is not None:
        stand.channel = step.channel
    elif step.phone is not None:
        stand.phone = step.phone
        if step.phone not in stand.seen:
            stand.seen[step.phone] = len(await stand.from_bot())
    else:
        await _change(step, stand)


async def _change(step: Step, stand: Play) -> None:
    """What does not happen in the chat itself."""
    person = f"/phones/{stand.phone}"
    if step.advance is not None:
        seconds = step.advance.total_seconds()
        await stand.chat.call("POST", "/clock", {"advance": f"PT{seconds:.0f}S"})
    elif step.clock is not None:
        move = step.clock.model_dump(mode="json", exclude_unset=True)
        await stand.chat.call("POST", "/clock", move)
    elif step.fault is not None:
        await stand.chat.call("POST", "/faults", step.fault)
    elif step.change is not None:
        await stand.chat.call("PUT", person, step.change)
    elif step.marketing is not None:
        await stand.chat.call("POST", f"{person}/marketing", {"wanted": step.marketing})
    elif step.number is not None:
        await stand.chat.call("POST", f"{person}/number", {"number": step.number})
        stand.seen[step.number] = stand.seen.pop(stand.phone)
        stand.phone = step.number


async def _tap(tap: Tap, stand: Play) -> None:
    said: dict[str, object] = {"reply": tap.option}
    if tap.of is not None:
        from_bot = await stand.from_bot()
        if tap.of > len(from_bot):
            raise Differs(f"the bot has sent only {len(from_bot)} messages")
        said["quote"] = from_bot[tap.of - 1].id
    await stand.say(said)


async def _expect(expected: Expect, stand: Play) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + expected.within
    reason = "nothing came"
    while loop.time() < deadline:
        unseen = (await stand.from_bot())[stand.seen[stand.phone] :]
        for message in unseen if expected.anywhere else unseen[:1]:
            differences = _differences(expected, message)
            if not differences:
                stand.seen[stand.phone] += unseen.index(message) + 1
                return
            reason = "; ".join(differences)
            if not expected.anywhere and not _may_still_come(expected, message):
                raise Differs(reason)
        await asyncio.sleep(POLL_SECONDS)
    raise Differs(f"within {expected.within:g} s: {reason}")


def _may_still_come(expected: Expect, message: Message) -> bool:
    """Only the status of a message changes, as long as it has not failed."""
    rest = expected.model_copy(update={"status": None})
    return not _differences(rest, message) and message.status is not DeliveryStatus.FAILED


async def _silence(seconds: float, stand: Play) -> None:
    await asyncio.sleep(seconds)
    unseen = (await stand.from_bot())[stand.seen[stand.phone] :]
    if unseen:
        raise Differs(f"expected nothing for {seconds:g} s, but there is: {_line(unseen[0])}")


def _differences(expected: Expect, message: Message) -> list[str]:
    found: list[str] = []
    if expected.text is not None and expected.text not in message.text:
        found.append(f"expected a text with {expected.text!r}, got {message.text!r}")
    if expected.exactly is not None and expected.exactly != message.text:
        found.append(f"expected the text {expected.exactly!r}, got {message.text!r}")
    if expected.options is not None:
        found += _option_differences(expected.options, message)
    for what, wanted, got in (
        ("kind", expected.kind, message.type),
        ("template", expected.template, message.template),
        ("status", expected.status, message.status),
    ):
        if wanted is not None and wanted != got:
            found.append(f"expected the {what} {wanted}, got {got}")
    return found


def _option_differences(wanted: tuple[str, ...], message: Message) -> list[str]:
    titles = tuple(option.title for option in message.options)
    ids = tuple(option.id for option in message.options)
    if wanted in {titles, ids}:
        return []
    return [f"expected the options {list(wanted)}, got {list(titles)}"]


def _line(message: Message) -> str:
    arrow = "<" if message.sender == "bot" else ">"
    options = "".join(f" [{option.title}]" for option in message.options)
    return f"{arrow} {message.type}: {message.text!r}{options} ({message.status})"
