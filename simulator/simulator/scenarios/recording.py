"""A chat as a scenario: what the person did, and what must come of it."""

from collections.abc import Sequence
from datetime import timedelta

import yaml

from simulator.transcript import Message

# Shorter pauses are the product's own time to answer.
SHORTEST_PAUSE = timedelta(minutes=1)
_MINUTE = 60

Recorded = dict[str, object]


def recorded(name: str, number: str, messages: Sequence[Message]) -> str:
    steps: list[Recorded] = []
    for position, message in enumerate(messages):
        if position:
            steps += _pause(message.at - messages[position - 1].at)
        if message.sender == "bot":
            steps.append({"expect": _expectation(message)})
        elif message.type != "system":
            steps.append(_deed(message, messages[:position]))
    scenario: Recorded = {"name": f"A chat with {name}", "phone": number, "person": name}
    if messages:
        scenario["channel"] = messages[0].channel
    return yaml.dump(
        scenario | {"steps": steps}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=96
    )


class _Dumper(yaml.SafeDumper):
    """Shows texts of several lines as they are."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _pause(pause: timedelta) -> list[Recorded]:
    if pause < SHORTEST_PAUSE:
        return []
    minutes = round(pause.total_seconds() / _MINUTE)
    return [{"advance": f"PT{minutes}M"}]


def _expectation(message: Message) -> Recorded:
    expected: Recorded = {"exactly": message.text, "kind": message.type}
    if message.template:
        expected["template"] = message.template
    if message.options:
        expected["options"] = [option.title for option in message.options]
    return expected


def _deed(message: Message, before: Sequence[Message]) -> Recorded:
    match message.type:
        case "text":
            return {"say": message.text}
        case "button" | "interactive":
            return {"tap": _tap(message, before)}
        case "reaction":
            return {"send": {"type": "reaction", "emoji": message.text}}
        case "edit" | "audio":
            return {"send": {"type": message.type, "text": message.text}}
        case "image" | "video" | "document" if message.text:
            return {"send": {"type": message.type, "caption": message.text}}
        case _:
            return {"send": {"type": message.type}}


def _tap(message: Message, before: Sequence[Message]) -> str | Recorded:
    from_bot = [m for m in before if m.sender == "bot"]
    last = next((m for m in reversed(from_bot) if m.options), None)
    if last is None or last.id == message.quote:
        return message.text
    number = next((n for n, m in enumerate(from_bot, 1) if m.id == message.quote), None)
    return {"option": message.text, "of": number} if number else message.text
