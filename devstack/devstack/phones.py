"""A person with a phone, as the simulator shows it: says things, taps options, reads."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

SIGN_UP_WITHIN = 60.0  # seconds: hundreds may sign up at once


class NothingCame(AssertionError):
    pass


@dataclass(frozen=True)
class Bubble:
    """One message of a transcript."""

    sender: str
    kind: str
    text: str
    options: tuple[tuple[str, str], ...]
    at: datetime
    status: str
    template: str | None = None
    channel: str = "cloud"

    @property
    def option_ids(self) -> tuple[str, ...]:
        return tuple(option for option, _ in self.options)


def is_question(bubble: Bubble) -> bool:
    return any(option.startswith("skip:") for option in bubble.option_ids) and any(
        option.startswith("hint:") for option in bubble.option_ids
    )


def is_ready(bubble: Bubble) -> bool:
    """The template that announces a question outside the 24-hour window."""
    return bubble.template is not None and "question:now" in bubble.option_ids


def is_feedback(bubble: Bubble) -> bool:
    return "/10" in bubble.text


def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """The decoded JSON of an answer of any status, with the status in front."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"} | (headers or {}))  # noqa: S310
    request.method = method
    try:
        with urlopen(request, timeout=15) as answer:  # noqa: S310  # loopback
            return answer.status, _decoded(answer.read())
    except HTTPError as error:
        with error:
            return error.code, _decoded(error.read())


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode(errors="replace")


def register(gateway_url: str, **fields: Any) -> Any:
    """As the web form does, with the consent ticked. Returns the status and the answer."""
    return call("POST", f"{gateway_url}/api/users/register", {"consent": True, **fields})


class Phone:
    """With a channel, only that chat; without one, all chats, answering in the last one."""

    def __init__(self, simulator_url: str, number: str, channel: str | None = None) -> None:
        self.number = number
        self.channel = channel
        self._simulator = simulator_url
        self.transcript_url = f"{simulator_url}/control/phones/{number.lstrip('+')}/messages"

    def say(self, text: str) -> None:
        self._post({"text": text})

    def tap(self, option: str) -> None:
        """An id or a title of the last message that had options."""
        self._post({"reply": option})

    def send(self, **body: Any) -> None:
        """Any other kind of message, as the control API takes it."""
        self._post(body)

    def on(self, channel: str) -> "Phone":
        """The same person, in the chat with another of our numbers."""
        return Phone(self._simulator, self.number, channel)

    def sign_up(self, gateway_url: str, **fields: Any) -> str:
        """On the web, and confirmed in the chat. Returns the user's id."""
        status, body = register(gateway_url, phone=self.number, **fields)
        assert status == 201, body
        self.wait_for(lambda bubble: "signup:confirm" in bubble.option_ids, within=SIGN_UP_WITHIN)
        before = len(self.received())
        self.tap("signup:confirm")
        self.wait_for(
            lambda bubble: "question:now" in bubble.option_ids,
            after=before,
            within=SIGN_UP_WITHIN,
        )
        return str(body["id"])

    def transcript(self) -> list[Bubble]:
        query = f"?channel={self.channel}" if self.channel else ""
        _, body = call("GET", self.transcript_url + query)
        items = body if isinstance(body, list) else body.get("messages", [])
        return [_bubble(item) for item in items]

    def received(self) -> list[Bubble]:
        return [bubble for bubble in self.transcript() if bubble.sender == "bot"]

    def wait_for(
        self, is_it: Callable[[Bubble], bool], *, after: int = 0, within: float = 15.0
    ) -> Bubble:
        """The first message from the bot, not counting the `after` first ones, that fits."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for bubble in self.received()[after:]:
                if is_it(bubble):
                    return bubble
            time.sleep(0.03)
        seen = [bubble.text[:80] for bubble in self.received()[after:]]
        raise NothingCame(f"nothing fitting came; since then: {seen}")

    def wait_next(self, after: int, *, within: float = 15.0) -> Bubble:
        return self.wait_for(lambda _: True, after=after, within=within)

    def _post(self, body: dict[str, Any]) -> None:
        chosen = {"channel": self.channel} if self.channel else {}
        status, answer = call("POST", self.transcript_url, chosen | body)
        assert status < 300, answer


def _bubble(item: dict[str, Any]) -> Bubble:
    template = item.get("template")
    return Bubble(
        sender=item["from"],
        kind=item["type"],
        text=item.get("text") or "",
        options=tuple((o["id"], o["title"]) for o in item.get("options") or ()),
        at=datetime.fromisoformat(item["at"]),
        status=item.get("status") or "",
        template=template if isinstance(template, str) else str(template) if template else None,
        channel=item.get("channel") or "cloud",
    )


class TimeMachine:
    """The simulator's clock, which every service follows."""

    def __init__(self, simulator_url: str) -> None:
        self._url = f"{simulator_url}/control/clock"

    def now(self) -> datetime:
        _, body = call("GET", self._url)
        return datetime.fromisoformat(body["now"])

    def advance(self, by: timedelta) -> None:
        seconds = int(by.total_seconds())
        status, answer = call("POST", self._url, {"advance": f"PT{seconds}S"})
        assert status == 200, answer

    def travel_to(self, instant: datetime) -> None:
        status, answer = call("POST", self._url, {"to": instant.isoformat()})
        assert status == 200, answer

    def travel_to_next(self, at: str, zone: str) -> datetime:
        """To the next time that a clock on the wall of `zone` shows `at`; returns that instant, in
        that zone."""
        status, answer = call("POST", self._url, {"next": at, "zone": zone})
        assert status == 200, answer
        now = datetime.fromisoformat(answer["now"]).astimezone(ZoneInfo(zone))
        return now.replace(second=0, microsecond=0)
