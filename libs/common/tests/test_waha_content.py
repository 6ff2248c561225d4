import json
from typing import Any

import pytest

from .waha_payloads import go, payload, raw, read

WORDS = {"conversation": "words"}


@pytest.mark.parametrize(
    "message",
    [
        WORDS,
        {"extendedTextMessage": {"text": "words"}},
        {"ephemeralMessage": {"message": {"extendedTextMessage": {"text": "words"}}}},
        {"viewOnceMessageV2": {"message": {"ephemeralMessage": {"message": WORDS}}}},
        {"messageContextInfo": {"deviceListMetadata": {}}} | WORDS,
    ],
)
def test_a_text_without_a_body_is_found(message: dict[str, Any]) -> None:
    found = read(raw(**message))
    assert (found.kind, found.text) == ("text", "words")
    of_go = read(payload(body="", _data={"Info": {"PushName": "Ana"}, "Message": message}))
    assert (of_go.text, of_go.sender.profile_name) == ("words", "Ana")


@pytest.mark.parametrize(
    ("content", "kind", "choice"),
    [
        (
            raw(buttonsResponseMessage={"selectedButtonId": "a", "selectedDisplayText": "Yes"}),
            "choice",
            "a",
        ),
        (
            raw(listResponseMessage={"title": "Yes", "singleSelectReply": {"selectedRowId": "a"}}),
            "choice",
            "a",
        ),
        (
            raw(templateButtonReplyMessage={"selectedId": "a", "selectedDisplayText": "Yes"}),
            "button",
            "a",
        ),
        (
            raw(
                interactiveResponseMessage={
                    "body": {"text": "Yes"},
                    "nativeFlowResponseMessage": {"paramsJson": '{"id": "a"}'},
                }
            ),
            "choice",
            "a",
        ),
        (
            raw(
                interactiveResponseMessage={
                    "body": {"text": "Yes"},
                    "nativeFlowResponseMessage": {"paramsJson": "{"},
                }
            ),
            "choice",
            None,
        ),
        (
            payload(
                body="Yes", _data={"listResponse": {"singleSelectReply": {"selectedRowId": "a"}}}
            ),
            "choice",
            "a",
        ),
        (payload(body="Yes", _data={"selectedButtonId": "a"}), "choice", "a"),
        (
            go(buttonsResponseMessage={"selectedButtonID": "a", "selectedDisplayText": "Yes"}),
            "choice",
            "a",
        ),
        (
            go(listResponseMessage={"title": "Yes", "singleSelectReply": {"selectedRowID": "a"}}),
            "choice",
            "a",
        ),
    ],
)
def test_a_tap_keeps_its_id_and_its_text(
    content: dict[str, Any], kind: str, choice: str | None
) -> None:
    found = read(content)
    assert (found.kind, found.text, found.choice_id) == (kind, "Yes", choice)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (payload(hasMedia=True, media={"url": "http://w/1", "mimetype": "image/jpeg"}), "image"),
        (payload(hasMedia=True, media={"url": "http://w/1", "mimetype": "video/mp4"}), "video"),
        (payload(hasMedia=True, media={"url": "http://w/1", "mimetype": "text/csv"}), "document"),
        (payload(hasMedia=True, media=None), "document"),
        (payload(hasMedia=True, media=None, _data={"type": "sticker"}), "sticker"),
        (payload(hasMedia=True, _data={"Info": {"MediaType": "image"}}), "image"),
        (raw(imageMessage={"mimetype": "image/png", "caption": "a list keeps order"}), "image"),
        (raw(stickerMessage={"mimetype": "image/webp"}), "sticker"),
        (raw(viewOnceMessage={"message": {"videoMessage": {"mimetype": "video/mp4"}}}), "video"),
        (
            raw(documentWithCaptionMessage={"message": {"documentMessage": {"fileName": "a.pdf"}}}),
            "document",
        ),
    ],
)
def test_a_file_is_announced_even_when_it_was_not_fetched(
    content: dict[str, Any], kind: str
) -> None:
    found = read(content)
    assert found.kind == kind
    assert found.media is not None
    assert found.text in (None, "a list keeps order")


@pytest.mark.parametrize(
    ("content", "is_voice"),
    [
        (payload(media={"url": "http://w/1", "mimetype": "audio/ogg; codecs=opus"}), True),
        (payload(media={"url": "http://w/1", "mimetype": "audio/mpeg"}), False),
        (raw(audioMessage={"mimetype": "audio/ogg; codecs=opus", "ptt": True}), True),
        (raw(audioMessage={"mimetype": "audio/ogg; codecs=opus", "ptt": False}), False),
        (go(audioMessage={"mimetype": "audio/ogg; codecs=opus", "PTT": True}), True),
        (payload(hasMedia=True, media=None, _data={"type": "ptt"}), True),
    ],
)
def test_a_voice_note_is_told_from_a_song(content: dict[str, Any], is_voice: bool) -> None:
    found = read(content)
    assert found.kind == "audio"
    assert found.media is not None
    assert found.media.is_voice is is_voice


def test_a_place_a_card_and_a_poll_become_a_short_text() -> None:
    place = {"latitude": "-23.5", "longitude": "-46.6", "live": False}
    assert (read(payload(location=place)).kind, read(payload(location=place)).text) == (
        "location",
        "-23.5, -46.6",
    )
    assert read(payload(location=place | {"name": "Sé"})).text == "Sé"
    card = "BEGIN:VCARD\nFN:Bia Souza\nTEL:+5511900000002\nEND:VCARD"
    assert read(payload(vCards=[card])).kind == "contacts"
    assert read(payload(vCards=[card])).text == "Bia Souza"
    assert read(raw(liveLocationMessage={"degreesLatitude": 1.5, "degreesLongitude": 2})).text
    poll = read(raw(pollCreationMessageV3={"name": "Tea?", "options": []}))
    assert (poll.kind, poll.text) == ("unsupported", "Tea?")
    assert poll.original


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (raw(), "unknown"),
        (raw(holographMessage={"x": 1}), "unknown"),
        (payload(body=""), "unknown"),
    ],
)
def test_what_is_not_known_is_kept_whole(content: dict[str, Any], kind: str) -> None:
    found = read(content)
    assert found.kind == kind
    assert found.original is not None
    assert json.loads(found.original)["id"] == content["id"]


def test_what_it_answers_is_found_in_every_engines_spelling() -> None:
    quoting = {"text": "so", "contextInfo": {"stanzaID": "3EB0Q"}}
    assert read(go(extendedTextMessage=quoting)).quoted_id == "3EB0Q"
    assert (
        read(raw(extendedTextMessage={"contextInfo": {"stanzaId": "3EB0Q"}})).quoted_id == "3EB0Q"
    )
    reaction = read(go(reactionMessage={"text": "🙏", "key": {"ID": "3EB0OURS"}}))
    assert (reaction.kind, reaction.target_id) == ("reaction", "3EB0OURS")
