"""The messages between the services: what is written down is what is sent, and it only grows."""

import json
from pathlib import Path
from typing import Any

import pytest

from common.asyncapi import IncompatibleChange, check_additive, document, rendered, schemas
from common.events import Command, Event, all_messages, shard_of
from common.topology import CONSUMERS, STREAMS

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"
OURS = {s: m for s, m in all_messages().items() if m.__module__.startswith("common.")}


@pytest.mark.parametrize("name", sorted(rendered()))
def test_the_written_contract_is_current(name: str) -> None:
    assert (FOLDER / name).read_text() == rendered()[name], "run `make contracts`"


def test_no_contract_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(rendered())


@pytest.mark.parametrize("subject", sorted(OURS))
def test_a_message_has_one_stream_and_a_proper_name(subject: str) -> None:
    message = OURS[subject]
    assert sum(message in stream.messages for stream in STREAMS) == 1
    assert issubclass(message, Command | Event)
    assert subject.count(".") == 1
    assert subject == subject.lower()


def test_a_command_has_exactly_one_consumer() -> None:
    for stream in STREAMS:
        for message in stream.messages if stream.is_work_queue else ():
            assert sum(message in consumer.messages for consumer in CONSUMERS) == 1


def test_consumers_read_from_the_stream_that_holds_their_messages() -> None:
    streams = {stream.name: stream for stream in STREAMS}
    for consumer in CONSUMERS:
        assert set(consumer.messages) <= set(streams[consumer.stream].messages)
        assert len(consumer.name) < 30
        assert consumer.slots % consumer.batch == 0


def test_no_field_in_a_subject_tells_a_person_apart() -> None:
    shards = {shard_of(f"+55119{number:08}") for number in range(2_000)}
    assert shards == set(range(32))


def test_the_asyncapi_document_names_every_channel() -> None:
    assert set(document()["channels"]) == set(OURS)


def _changed(**changes: Any) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(json.dumps(schemas()["answer.graded"]))
    schema.update(changes)
    return schema


def test_a_new_optional_field_is_allowed() -> None:
    old = schemas()["answer.graded"]
    new = _changed(properties=old["properties"] | {"mood": {"type": "string"}})
    check_additive("answer.graded", old, new)


def test_a_field_cannot_go_change_or_become_required() -> None:
    old = schemas()["answer.graded"]
    fewer = {name: field for name, field in old["properties"].items() if name != "score"}
    other = old["properties"] | {"examiner": {"type": "integer"}}
    for new in (
        _changed(properties=fewer),
        _changed(properties=other),
        _changed(required=[*old["required"], "is_provisional"]),
    ):
        with pytest.raises(IncompatibleChange):
            check_additive("answer.graded", old, new)
