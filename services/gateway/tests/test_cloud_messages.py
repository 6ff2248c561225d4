"""Every type of message of the Cloud API, and every spelling of its sender."""

import json
from typing import Any

import pytest

from common.events import Media, MessageReceived, NoticeReceived, Sender

from .cloud_payloads import ANA, METADATA, in_conversation, read

FILE = {"id": "900", "mime_type": "application/x", "sha256": "c2hh", "filename": "a.bin"}
TEA = {"product_retailer_id": "TEA", "quantity": 2}
NEW_NUMBER, NEW_ID = "user_changed_number", "user_changed_user_id"
ANNOUNCED = Media(id="900", mime_type="application/x", sha256="c2hh", filename="a.bin")


def shown(kind: str, content: Any) -> dict[str, Any]:
    return {"type": kind, kind: content}


def card(name: str) -> dict[str, Any]:
    return {"name": {"formatted_name": name}}


def news(kind: str, **names: str) -> dict[str, str]:
    return {"type": kind, **names}


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_a_file_is_announced_with_all_that_is_known_of_it(kind: str) -> None:
    found = read(type=kind, **{kind: FILE | {"caption": "look"}})
    assert (found.kind, found.text, found.media) == (kind, "look", ANNOUNCED)


@pytest.mark.parametrize(
    ("item", "is_voice"),
    [
        ({"type": "audio", "audio": {"id": "1", "voice": True}}, True),
        ({"type": "audio", "audio": {"id": "1", "voice": False}}, False),
        ({"type": "audio", "audio": {"id": "1"}}, False),
        ({"type": "voice", "voice": {"id": "1"}}, True),
    ],
)
def test_a_voice_note_is_told_from_a_song(item: dict[str, Any], is_voice: bool) -> None:
    media = read(**item).media
    assert media is not None
    assert media.is_voice is is_voice


@pytest.mark.parametrize(
    ("item", "kind", "text"),
    [
        (shown("location", {"latitude": -23.5, "longitude": -46.6}), "location", "-23.5, -46.6"),
        (shown("location", {"name": "Sé", "address": "Centro"}), "location", "Sé, Centro"),
        (shown("contacts", [card("Bia"), card("Caio")]), "contacts", "Bia, Caio"),
        (shown("order", {"product_items": [TEA]}), "order", "2 x TEA"),
        (shown("order", {"text": "please", "product_items": 3}), "order", "please"),
        (shown("location", "garbage"), "location", None),
        (shown("contacts", [{}]), "contacts", None),
    ],
)
def test_places_cards_and_orders_become_a_short_text(
    item: dict[str, Any], kind: str, text: str | None
) -> None:
    found = read(**item)
    assert (found.kind, found.text) == (kind, text)


@pytest.mark.parametrize(
    ("reaction", "emoji"),
    [({"emoji": "👍"}, "👍"), ({"emoji": ""}, ""), ({}, ""), ({"emoji": None}, "")],
)
def test_a_reaction_and_its_removal_name_their_target(reaction: dict[str, Any], emoji: str) -> None:
    found = read(type="reaction", reaction={"message_id": "wamid.0"} | reaction)
    assert (found.kind, found.text, found.target_id) == ("reaction", emoji, "wamid.0")


def test_an_edit_has_the_new_text_and_its_target() -> None:
    new = {"type": "text", "text": {"body": "better"}}
    found = read(type="edit", edit={"original_message_id": "wamid.0", "message": new})
    assert (found.kind, found.text, found.target_id) == ("edit", "better", "wamid.0")
    caption = {"type": "image", "image": FILE | {"caption": "newer"}}
    found = read(type="edit", edit={"original_message_id": "wamid.0", "message": caption})
    assert (found.text, found.media) == ("newer", None)
    bare = read(type="edit", edit={"original_message_id": "wamid.0"})
    assert (bare.kind, bare.text) == ("edit", None)


def test_a_revoke_names_its_target() -> None:
    found = read(type="revoke", revoke={"original_message_id": "wamid.0"})
    assert (found.kind, found.text, found.target_id) == ("revoke", None, "wamid.0")


@pytest.mark.parametrize(
    ("item", "before", "became"),
    [
        (
            {"system": news(NEW_NUMBER, wa_id="5511900000009")},
            Sender(wa_id=ANA),
            Sender(wa_id="5511900000009"),
        ),
        (
            {"system": news("customer_changed_number", new_wa_id="5511900000009")},
            Sender(wa_id=ANA),
            Sender(wa_id="5511900000009"),
        ),
        (
            {
                "from_user_id": "BR.1",
                "system": news(NEW_NUMBER, wa_id="5511900000009", user_id="BR.2"),
            },
            Sender(wa_id=ANA, business_scoped_id="BR.1"),
            Sender(wa_id="5511900000009", business_scoped_id="BR.2"),
        ),
        (
            {
                "from_user_id": "BR.2",
                "system": news(NEW_ID, previous_user_id="BR.1"),
            },
            Sender(wa_id=ANA, business_scoped_id="BR.1"),
            Sender(business_scoped_id="BR.2"),
        ),
        (
            {
                "from": None,
                "system": news(NEW_ID, previous_user_id="BR.1", user_id="BR.2"),
            },
            Sender(business_scoped_id="BR.1"),
            Sender(business_scoped_id="BR.2"),
        ),
        (
            {"from_user_id": "BR.1", "system": news(NEW_ID, new_user_id="BR.2")},
            Sender(wa_id=ANA, business_scoped_id="BR.1"),
            Sender(business_scoped_id="BR.2"),
        ),
        ({"system": news("customer_identity_changed", wa_id=ANA)}, Sender(wa_id=ANA), None),
        ({"system": news("customer_identity_changed", wa_id="1")}, Sender(wa_id=ANA), None),
        ({"system": news(NEW_NUMBER, wa_id=ANA)}, Sender(wa_id=ANA), None),
        ({"system": news("tomorrow")}, Sender(wa_id=ANA), None),
        ({"system": "garbage"}, Sender(wa_id=ANA), None),
    ],
)
def test_news_of_a_changed_name_has_the_old_and_the_new_one(
    item: dict[str, Any], before: Sender, became: Sender | None
) -> None:
    found = read(type="system", **item)
    assert (found.kind, found.sender, found.became) == ("system", before, became)
    assert found.original


@pytest.mark.parametrize(
    ("item", "contacts", "sender"),
    [
        ({"from": None, "from_user_id": "BR.1a"}, None, Sender(business_scoped_id="BR.1a")),
        ({"from": "BR.1a"}, None, Sender(business_scoped_id="BR.1a")),
        ({"from": ""}, [{"user_id": "BR.1"}], Sender(business_scoped_id="BR.1")),
        ({"from": f"+{ANA}"}, None, Sender(wa_id=ANA)),
        ({"from": ANA}, "garbage", Sender(wa_id=ANA)),
        ({"from": ANA}, [None, {"wa_id": ["?"]}, {"profile": 3}], Sender(wa_id=ANA)),
        (
            {"from": None, "from_user_id": "BR.1"},
            [{"wa_id": "5511900000002", "user_id": "BR.2"}, {"wa_id": ANA, "user_id": "BR.1"}],
            Sender(wa_id=ANA, business_scoped_id="BR.1"),
        ),
        (
            {},
            [{"wa_id": ANA, "user_id": "BR.1", "profile": {"name": "Ana", "username": "ana.dev"}}],
            Sender(wa_id=ANA, business_scoped_id="BR.1", profile_name="Ana", username="ana.dev"),
        ),
    ],
)
def test_a_sender_is_found_in_every_spelling(
    item: dict[str, Any], contacts: Any, sender: Sender
) -> None:
    assert read(contacts, type="text", text={"body": "x"}, **item).sender == sender


def test_a_message_of_nobody_or_in_a_group_is_a_notice() -> None:
    nobody = {"id": "wamid.1", "type": "text", "text": {"body": "x"}}
    grouped = nobody | {"from": ANA, "group_id": "g"}
    two = [{"wa_id": "1"}, {"wa_id": "2"}]
    for found in in_conversation(messages=[nobody, grouped], contacts=two):
        assert isinstance(found, NoticeReceived)


@pytest.mark.parametrize(
    ("interactive", "kind", "text"),
    [
        ({"type": "button_reply", "button_reply": {"id": "a", "title": "A"}}, "choice", "A"),
        ({"type": "list_reply", "list_reply": {"id": "a", "title": "A"}}, "choice", "A"),
        ({"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}, "unsupported", "Sent"),
        ({"type": "call_permission_reply", "call_permission_reply": {}}, "unsupported", None),
        ("garbage", "unknown", None),
        (None, "unknown", None),
    ],
)
def test_each_interactive_reply_is_recognised(
    interactive: Any, kind: str, text: str | None
) -> None:
    found = read(type="interactive", interactive=interactive)
    assert (found.kind, found.text) == (kind, text)
    assert (found.original is None) == (kind == "choice")


def test_a_reply_that_whatsapp_could_not_deliver_keeps_the_error_too() -> None:
    item = {"from": ANA, "id": "wamid.1", "type": "interactive"}
    message, notice = in_conversation(messages=[item], errors=[{"code": 131000}])
    assert isinstance(message, MessageReceived)
    assert message.kind == "unknown"
    assert isinstance(notice, NoticeReceived)
    kept = json.loads(notice.original)
    assert kept["value"] == {"errors": [{"code": 131000}], "metadata": METADATA}
    assert ANA not in notice.original


def test_an_unsupported_and_a_tomorrows_type_are_kept_whole() -> None:
    for kind in ("unsupported", "unknown", "hologram"):
        found = read(type=kind, errors=[{"code": 131051}], hologram={"depth": 3})
        assert found.kind == ("unsupported" if kind == "unsupported" else "unknown")
        assert json.loads(found.original or "")["errors"] == [{"code": 131051}]


@pytest.mark.parametrize(
    "part", ["context", "timestamp", "from_user_id", "image", "system", "edit"]
)
@pytest.mark.parametrize("garbage", [[], {}, "x", 7, True, None])
def test_one_odd_part_costs_itself_and_not_the_message(part: str, garbage: Any) -> None:
    found = read(type="text", text={"body": "kept"}, **{part: garbage})
    assert (found.kind, found.text, found.sender.wa_id) == ("text", "kept", ANA)
    assert found.model_dump_json()
