import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.events import NoticeReceived, Sender, StatusReceived
from common.lenient import ORIGINAL_LIMIT
from common.waha import bare_id, message_in

from .waha_payloads import ANA, ANA_HIDDEN, NOW, SENT, all_of, event, one, payload, raw, read


def test_a_text_carries_everything_that_an_answer_needs() -> None:
    message = read(payload(replyTo={"id": "3EB0Q", "body": "?"}))
    assert (message.channel, message.number_id, message.provider_id) == (
        "waha",
        "default",
        "3EB0A1",
    )
    assert (message.kind, message.text, message.quoted_id) == (
        "text",
        "a list keeps order",
        "3EB0Q",
    )
    assert message.sender == Sender(wa_id="5511912345678", profile_name="Ana")
    assert message.chat_id == ANA
    assert message.sent_at == datetime.fromtimestamp(SENT, UTC)
    assert message.original is None


@pytest.mark.parametrize(
    ("full", "bare"),
    [
        (f"false_{ANA}_3EB0A1", "3EB0A1"),
        (f"true_{ANA_HIDDEN}_3EB0A1", "3EB0A1"),
        (f"false_120363@g.us_3EB0A1_{ANA}", "3EB0A1"),
        (f"false_{ANA}_3EB0_A1", "3EB0_A1"),
        ("3EB0A1", "3EB0A1"),
        ("", ""),
        ("false_", "false_"),
    ],
)
def test_the_bare_id_has_neither_chat_nor_participant(full: str, bare: str) -> None:
    assert bare_id(full) == bare


def test_one_message_under_all_its_names_is_one() -> None:
    hidden = payload(
        id=f"false_{ANA_HIDDEN}_3EB0A1",
        **{"from": ANA_HIDDEN},
        _data={"key": {"remoteJidAlt": "5511912345678:18@s.whatsapp.net"}},
    )
    by_event = one(event("message", payload()))
    again = one(event("message", payload(), id="evt_02"))
    from_history = read(payload(id="3EB0A1"))
    under_lid = read(hidden)
    ids = {each.message_id for each in (by_event, again, from_history, under_lid)}
    assert len(ids) == 1
    assert under_lid.chat_id == ANA_HIDDEN
    assert under_lid.sender.key == by_event.sender.key == "5511912345678"
    assert under_lid.sender.lid == ANA_HIDDEN
    assert read(payload(id="3EB0A2")).message_id not in ids
    other = message_in(payload(), session="second", now=NOW)
    assert other is not None
    assert other.message_id not in ids


@pytest.mark.parametrize(
    ("chat", "data", "wa_id", "lid"),
    [
        ("5511912345678@s.whatsapp.net", {}, "5511912345678", None),
        ("5511912345678:7@c.us", {}, "5511912345678", None),
        ("5511912345678_1:7@c.us", {}, "5511912345678", None),
        ("70011122233344:2@lid", {}, None, ANA_HIDDEN),
        (ANA_HIDDEN, {"key": {"remoteJidAlt": None}}, None, ANA_HIDDEN),
        (ANA_HIDDEN, {"key": {"remoteJidAlt": "?"}}, None, ANA_HIDDEN),
        (ANA_HIDDEN, {"key": {"senderPn": ANA}}, "5511912345678", ANA_HIDDEN),
        (ANA_HIDDEN, {"Info": {"SenderAlt": ANA}}, "5511912345678", ANA_HIDDEN),
        (ANA, {"key": {"remoteJidAlt": ANA_HIDDEN}}, "5511912345678", ANA_HIDDEN),
    ],
)
def test_a_sender_has_every_name_that_is_told(
    chat: str, data: dict[str, Any], wa_id: str | None, lid: str | None
) -> None:
    sender = read(payload(**{"from": chat}, _data=data)).sender
    assert (sender.wa_id, sender.lid) == (wa_id, lid)


@pytest.mark.parametrize(
    "changes",
    [
        {"fromMe": True},
        {"source": "api"},
        {"id": f"true_{ANA}_3EB0A1"},
        {"_data": {"key": {"fromMe": True}}},
        {"from": "120363000000@g.us"},
        {"from": "status@broadcast"},
        {"from": "1234567890@broadcast"},
        {"from": "1234567890@newsletter"},
        {"from": "0@c.us"},
        {"from": None, "id": f"false_120363000000@g.us_3EB0A1_{ANA}"},
    ],
)
def test_our_own_messages_and_those_of_many_are_dropped(changes: dict[str, Any]) -> None:
    assert message_in(payload(**changes), session="default", now=NOW) is None
    assert all_of(event("message", payload(**changes))) == []


@pytest.mark.parametrize(
    "data",
    [
        {"messageStubType": 2},
        {"message": {"protocolMessage": {"type": 5}}},
        {"message": {"pollUpdateMessage": {}}},
        {"type": "e2e_notification"},
        {"type": "ciphertext"},
    ],
)
def test_upkeep_that_nobody_said_is_a_notice(data: dict[str, Any]) -> None:
    found = message_in(payload(body=None, _data=data), session="default", now=NOW)
    assert isinstance(found, NoticeReceived)


def test_a_reaction_is_one_as_an_event_and_as_a_message() -> None:
    as_event = one(
        event(
            "message.reaction",
            payload(
                body=None,
                timestamp=SENT + 0.853,
                reaction={"text": "🙏", "messageId": f"true_{ANA}_3EB0OURS"},
            ),
        )
    )
    as_message = read(raw(reactionMessage={"text": "🙏", "key": {"id": "3EB0OURS"}}))
    assert (as_event.kind, as_event.text, as_event.target_id) == ("reaction", "🙏", "3EB0OURS")
    assert as_event.message_id == as_message.message_id
    gone = one(event("message.reaction", payload(reaction={"text": "", "messageId": "3EB0OURS"})))
    assert (gone.kind, gone.text) == ("reaction", "")
    assert gone.message_id != as_event.message_id


def test_an_edit_is_one_as_an_event_and_as_a_message() -> None:
    as_event = one(event("message.edited", payload(body="new", editedMessageId="3EB0A0")))
    inner = {"key": {"id": "3EB0A0"}, "type": 14, "editedMessage": {"conversation": "new"}}
    as_message = read(raw(editedMessage={"message": {"protocolMessage": inner}}))
    assert (as_event.kind, as_event.text, as_event.target_id) == ("edit", "new", "3EB0A0")
    assert as_event.message_id == as_message.message_id
    second = one(event("message.edited", payload(body="newer", editedMessageId="3EB0A0")))
    assert second.message_id != as_event.message_id


def test_a_revoke_is_one_as_an_event_and_as_a_message() -> None:
    as_event = one(
        event("message.revoked", {"revokedMessageId": "3EB0A0", "after": payload(), "before": None})
    )
    as_message = read(raw(protocolMessage={"key": {"id": "3EB0A0"}, "type": "REVOKE"}))
    assert (as_event.kind, as_event.text, as_event.target_id) == ("revoke", None, "3EB0A0")
    assert as_event.message_id == as_message.message_id
    only_before = one(event("message.revoked", {"before": payload(), "after": None}))
    assert only_before.target_id == "3EB0A1"
    assert all_of(event("message.revoked", {"after": payload(fromMe=True)})) == []


def test_a_vote_is_a_choice_by_its_text() -> None:
    vote = {
        "id": f"false_{ANA}_3EB0V",
        "from": ANA,
        "fromMe": False,
        "timestamp": SENT * 1000,
        "selectedOptions": ["Python"],
    }
    poll = {"id": f"true_{ANA}_3EB0POLL", "fromMe": True}
    found = one(event("poll.vote", {"vote": vote, "poll": poll}))
    assert (found.kind, found.text, found.choice_id) == ("choice", "Python", None)
    assert found.target_id == "3EB0POLL"
    assert found.sent_at == datetime.fromtimestamp(SENT, UTC)
    taken_back = vote | {"selectedOptions": []}
    assert isinstance(one(event("poll.vote", {"vote": taken_back, "poll": poll})), NoticeReceived)
    assert isinstance(one(event("poll.vote.failed", {"vote": vote})), NoticeReceived)


@pytest.mark.parametrize(
    ("ack", "name", "word"),
    [
        (-1, "ERROR", "failed"),
        (0, "PENDING", "accepted"),
        (1, "SERVER", "sent"),
        (2, "DEVICE", "delivered"),
        (3, "READ", "read"),
        (4, "PLAYED", "played"),
        (None, "READ", "read"),
    ],
)
def test_acknowledgements_become_our_words(ack: int | None, name: str, word: str) -> None:
    body = {"id": f"true_{ANA}_3EB0OURS", "from": ANA, "fromMe": True, "ack": ack, "ackName": name}
    found = one(event("message.ack", body))
    assert isinstance(found, StatusReceived)
    assert (found.provider_id, found.status) == ("3EB0OURS", word)
    assert found.status_at == datetime.fromtimestamp(SENT + 0.5, UTC)
    hidden = one(event("message.ack", body | {"id": f"true_{ANA_HIDDEN}_3EB0OURS"}, id="evt_09"))
    assert hidden.message_id == found.message_id


def test_acknowledgements_of_others_messages_and_of_groups_are_dropped() -> None:
    body = {"id": f"false_{ANA}_3EB0A1", "from": ANA, "fromMe": False, "ack": 3}
    assert all_of(event("message.ack", body)) == []
    group = {"id": "true_1@g.us_3EB0", "from": "1@g.us", "fromMe": True, "ack": 3}
    assert all_of(event("message.ack", group)) == []
    unknown = body | {"fromMe": True, "ack": 9}
    assert isinstance(one(event("message.ack", unknown)), NoticeReceived)


def test_news_of_the_session_is_a_notice_with_the_whole_event() -> None:
    whole = event("session.status", {"name": "default", "status": "WORKING"})
    found = one(whole)
    assert isinstance(found, NoticeReceived)
    assert (found.channel, found.field) == ("waha", "session.status")
    assert json.loads(found.original) == whole
    assert one(whole).message_id == found.message_id
    assert one(whole | {"id": "evt_02"}).message_id != found.message_id


@pytest.mark.parametrize("name", ["message.waiting", "call.received", "poll.vote.failed", "x.y"])
def test_an_event_without_a_reaction_is_a_notice(name: str) -> None:
    found = one(event(name, {"a": 1}))
    assert isinstance(found, NoticeReceived)
    assert found.field == name


@pytest.mark.parametrize(
    "name", ["message.any", "message.ack.group", "group.v2.join", "presence.update", "engine.event"]
)
def test_copies_and_the_life_of_groups_are_dropped(name: str) -> None:
    assert all_of(event(name, payload())) == []


def test_another_sessions_events_are_dropped() -> None:
    assert all_of(event("message", payload(), session="somebody-else")) == []
    assert len(all_of(event("message", payload(), session=None))) == 1


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        (SENT, SENT),
        (SENT * 1000, SENT),
        (SENT + 0.25, SENT + 0.25),
        (str(SENT), SENT),
        (None, None),
        (True, None),
        ("soon", None),
        (float("nan"), None),
        (float("inf"), None),
        (-5, None),
        ({"low": 1}, None),
        (10**400, None),
    ],
)
def test_strange_timestamps_become_now(timestamp: Any, at: float | None) -> None:
    expected = datetime.fromtimestamp(at, UTC) if at else NOW
    assert abs(read(payload(timestamp=timestamp)).sent_at - expected) < timedelta(seconds=1)


def test_what_cannot_be_stored_is_mended() -> None:
    found = read(payload(body="half \ud83d of\x00 it", _data={"pushName": "A\x00na\udc00"}))
    assert found.text == "half \ufffd of it"
    assert found.sender.profile_name == "Ana\ufffd"
    assert found.model_dump_json()


def test_a_huge_original_is_cut_to_what_nats_takes() -> None:
    found = one(event("message.waiting", {"blob": "x" * 3_000_000}))
    assert len(found.model_dump_json()) < 3 * ORIGINAL_LIMIT
    assert json.loads(found.original)["size"] > 3_000_000
