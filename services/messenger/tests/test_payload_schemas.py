"""Everything that we send, held against Meta's own description of it and its documented limits."""

import re
from functools import cache
from typing import Any, get_args
from uuid import uuid4

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from common.events import Attachment, Language
from devstack.reference import CLOUD_OPENAPI
from messenger import catalogue, lengths
from messenger.catalogue import TemplateEntry
from messenger.channels import OutboundMessage
from messenger.channels.cloud_payloads import payload_of, read_mark
from messenger.rendering import Content, Renderer

from .conftest import CONSTANTS, CONTENT
from .test_rendering import VALUES

RENDERER = Renderer(catalogue.load(CONTENT), CONSTANTS)
LANGUAGES: tuple[Language, ...] = get_args(Language)
UNDOCUMENTED = {"biz_opaque_callback_data": {"type": "string", "maxLength": 512}}
"""Used by everybody, and missing in the description."""
FILES = (
    None,
    Attachment(kind="image", mime_type="image/png", filename="a.png", data=b"iVBORw0KGgo="),
    Attachment(kind="document", mime_type="application/pdf", filename="a.pdf", data=b"JVBERi0="),
)

needs_specification = pytest.mark.skipif(
    not CLOUD_OPENAPI.exists(), reason="Meta's OpenAPI description is not on this machine"
)


def values_of(kind: str) -> dict[str, str]:
    return dict.fromkeys(VALUES[kind], "7")


def sent(kind: str, language: str, file: Attachment | None, to: str = "5511") -> dict[str, Any]:
    content = RENDERER.render(kind, language, values_of(kind), name="Ana")
    message = OutboundMessage(uuid4(), to, content, "reply", attachment=file)
    return payload_of(message, media_id="900" if file else None)


@cache
def schemas() -> dict[str, Any]:
    document = yaml.load(CLOUD_OPENAPI.read_text("utf-8"), Loader=yaml.CSafeLoader)
    found: dict[str, Any] = document["components"]["schemas"]
    found["LanguageObject"]["required"].remove("policy")  # optional by now
    index = found["TemplateComponent"]["properties"]["index"]
    index["pattern"] = "^[0-9]$"  # the given one refuses its own example
    return found


def merged(schema: dict[str, Any]) -> dict[str, Any]:
    """Of `allOf`: its parts forbid each other's properties, which nobody can have meant."""
    whole: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    for part in schema.get("allOf", [schema]):
        resolved = schemas()[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part
        whole["properties"] |= resolved.get("properties", {})
        whole["required"] += resolved.get("required", [])
    return whole | {"additionalProperties": False}


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema | {"components": {"schemas": schemas()}})


def validator_for(payload: dict[str, Any]) -> jsonschema.Draft202012Validator:
    mapping = schemas()["Message"]["discriminator"]["mapping"]
    schema = merged(schemas()[mapping[payload["type"]].rsplit("/", 1)[-1]])
    schema["properties"] |= UNDOCUMENTED
    return validator(schema)


@needs_specification
@pytest.mark.parametrize("file", FILES, ids=["alone", "image", "document"])
@pytest.mark.parametrize("kind", sorted(VALUES))
def test_every_message_is_what_meta_describes(kind: str, file: Attachment | None) -> None:
    for language in LANGUAGES:
        payload = sent(kind, language, file)
        validator_for(payload).validate(payload)


@needs_specification
@pytest.mark.parametrize("shows_typing", [True, False])
def test_a_read_mark_is_what_meta_describes(shows_typing: bool) -> None:
    """Typing came after this description: it is an example there, and not in the schema."""
    mark = read_mark("wamid.1", shows_typing)
    assert mark.pop("typing_indicator", None) == ({"type": "text"} if shows_typing else None)
    validator(merged(schemas()["MarkMessageRequestPayload"])).validate(mark)


@needs_specification
def test_a_wrong_message_would_be_found() -> None:
    payload = sent("help", "en", None)
    del payload["to"]
    with pytest.raises(jsonschema.ValidationError):
        validator_for(payload).validate(payload)


def test_somebody_without_a_number_is_a_recipient() -> None:
    payload = sent("help", "en", None, to="BR.150212345")
    assert payload["recipient"] == "BR.150212345"
    assert "to" not in payload
    assert "recipient" not in sent("help", "en", None)


any_text = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="ab \t\n\u2028\xa0*_{}[]🙂é", min_size=0, max_size=5000),
    st.sampled_from(["", "    ", "🙂" * 3000, "\n" * 20, "a" * 5000, "\x00", "\ud83d"]),
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_value_can_make_a_message_that_is_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    values = {name: data.draw(any_text) for name in sorted(VALUES[kind])}
    file = data.draw(st.sampled_from(FILES))
    content = RENDERER.render(
        kind,
        data.draw(st.sampled_from(LANGUAGES)),
        values,
        name=data.draw(any_text),
        is_fallback_language=data.draw(st.booleans()),
        room=lengths.CAPTION if file else lengths.TEXT,
    )
    check(content, file)


def check(content: Content, file: Attachment | None) -> None:
    payload = payload_of(
        OutboundMessage(uuid4(), "5511", content, "reply", attachment=file), media_id="9"
    )
    match payload["type"]:
        case "text":
            assert 0 < lengths.units(of(payload, "text", "body")) <= 4096
        case "image" | "document" as kind:
            assert 0 < lengths.units(of(payload, kind, "caption")) <= 1024
        case "interactive":
            check_interactive(payload["interactive"])
        case "template":
            check_template(payload["template"])
        case other:
            raise AssertionError(other)


def check_interactive(shown: Any) -> None:
    assert 0 < lengths.units(shown["body"]["text"]) <= 1024
    assert 0 < lengths.units(shown.get("footer", {}).get("text", "x")) <= 60
    if shown["type"] == "button":
        buttons = [button["reply"] for button in shown["action"]["buttons"]]
        assert 1 <= len(buttons) <= 3
        check_options(buttons, title=20, identifier=256)
        return
    sections = shown["action"]["sections"]
    rows = [row for section in sections for row in section["rows"]]
    assert 1 <= len(sections) <= len(rows) <= 10
    assert 0 < lengths.units(shown["action"]["button"]) <= 20
    assert all(0 < lengths.units(section["title"]) <= 24 for section in sections)
    assert all(lengths.units(row.get("description", "")) <= 72 for row in rows)
    check_options(rows, title=24, identifier=200)


def check_options(options: list[Any], *, title: int, identifier: int) -> None:
    assert all(0 < lengths.units(option["title"]) <= title for option in options)
    assert all(0 < lengths.units(option["id"]) <= identifier for option in options)
    assert all(option["id"] == option["id"].strip() for option in options)
    assert len({option["title"] for option in options}) == len(options)
    assert len({option["id"] for option in options}) == len(options)


def check_template(template: Any) -> None:
    entries = [e for e in RENDERER.catalogue.entries.values() if isinstance(e, TemplateEntry)]
    entry = next(entry for entry in entries if entry.template == template["name"])
    wording = RENDERER.catalogue.templates[entry.template].languages[template["language"]["code"]]
    body, *buttons = template["components"]
    texts = [parameter["text"] for parameter in body["parameters"]]
    assert len(texts) == len(entry.parameters)
    assert all(text.strip() for text in texts)
    assert not any(re.search(r"[\n\t\r\x0b\x0c\u2028\u2029]| {4}", text) for text in texts)
    assert lengths.units(wording.body) + sum(map(lengths.units, texts)) <= 1024
    payloads = [button["parameters"][0]["payload"] for button in buttons]
    assert len(payloads) == len(wording.buttons)
    assert all(0 < lengths.units(payload) <= 256 for payload in payloads)


def of(payload: dict[str, Any], *path: str) -> str:
    found: Any = payload
    for step in path:
        found = found[step]
    return str(found)
