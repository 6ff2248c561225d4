"""The contract on paper: a JSON Schema for each message, and one AsyncAPI 3 document.

Run as `python -m common.asyncapi FOLDER` to write them. A change that could break a reader of
an older version is refused: a message may only gain optional fields.
"""

import json
import sys
from pathlib import Path
from typing import Any

from common.events import PREFIX, Command, Message, Query, all_messages
from common.topology import CONSUMERS, STREAMS

Schema = dict[str, Any]
TITLE = "Sabatina"


class IncompatibleChange(Exception):
    pass


def schemas() -> dict[str, Schema]:
    """The schema of each message, by subject."""
    return {
        subject: message.model_json_schema()
        for subject, message in sorted(all_messages().items())
        if message.__module__.startswith("common.")
    }


def check_additive(subject: str, old: Schema, new: Schema) -> None:
    """Raises IncompatibleChange when a message of the one cannot be read as the other."""
    for name, field in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            raise IncompatibleChange(f"{subject}: {name} was taken away")
        if _shape(field) != _shape(new["properties"][name]):
            raise IncompatibleChange(f"{subject}: {name} means something else now")
    if added := set(new.get("required", [])) - set(old.get("required", [])):
        raise IncompatibleChange(f"{subject}: {sorted(added)} became required")
    for name, part in old.get("$defs", {}).items():
        if name in new.get("$defs", {}) and "properties" in part:
            check_additive(f"{subject}/{name}", part, new["$defs"][name])


def _shape(field: Schema) -> tuple[str, ...]:
    """What a reader relies on; words of a description and values of an enumeration may grow."""
    kept = {key: field[key] for key in ("type", "format", "$ref", "items") if key in field}
    options = [json.dumps(option, sort_keys=True) for option in field.get("anyOf", [])]
    return json.dumps(kept, sort_keys=True), *sorted(options)


def document() -> Schema:
    """AsyncAPI 3.0: who listens where, and what is said."""
    messages = all_messages()
    known = {subject: messages[subject] for subject in schemas()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLE,
            "version": "1.0.0",
            "description": (
                "The last token of every address is a shard, 0 to 31, of the person or the"
                " message; it never identifies anybody."
            ),
        },
        "channels": {subject: _channel(message) for subject, message in known.items()},
        "operations": _operations(known),
        "components": {
            "messages": {
                subject: {
                    "name": message.__name__,
                    "title": "command" if issubclass(message, Command) else "event",
                    "summary": (message.__doc__ or "").strip().split("\n")[0],
                    "contentType": "application/json",
                    "payload": {"$ref": f"./{subject}.json"},
                }
                for subject, message in known.items()
            }
        },
    }


def _channel(message: type[Message]) -> Schema:
    stream = next(stream for stream in STREAMS if message in stream.messages)
    return {
        "address": f"{PREFIX}.{message.subject}.{{shard}}",
        "parameters": {"shard": {"description": "0 to 31"}},
        "messages": {message.subject: {"$ref": f"#/components/messages/{message.subject}"}},
        "x-stream": stream.name,
    }


def _operations(known: dict[str, type[Message]]) -> Schema:
    operations = {}
    for consumer in CONSUMERS:
        for message in consumer.messages:
            if message.subject in known:
                operations[f"{consumer.name}.{message.subject}"] = {
                    "action": "receive",
                    "channel": {"$ref": f"#/channels/{message.subject}"},
                    "title": consumer.name,
                }
    return operations


def queries() -> list[str]:
    """The subjects of the short reads, which are not part of the streams."""
    return sorted(f"{PREFIX}.query.{query.subject}" for query in Query.__subclasses__())


def rendered() -> dict[str, str]:
    """File name to content of everything that `write` writes."""
    files = {f"{subject}.json": _text(schema) for subject, schema in schemas().items()}
    files["asyncapi.json"] = _text(document())
    return files


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for subject, schema in schemas().items():
        path = folder / f"{subject}.json"
        if path.exists():
            check_additive(subject, json.loads(path.read_text()), schema)
    for name, text in rendered().items():
        (folder / name).write_text(text)


def _text(value: Schema) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
