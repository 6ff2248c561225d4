"""Rendered content as the JSON of the Cloud API."""

from common.events import Attachment
from messenger import lengths
from messenger.channels import OutboundMessage
from messenger.rendering import ButtonsContent, Content, ListContent, TemplateContent, TextContent

Json = dict[str, object]


def payload_of(message: OutboundMessage, *, media_id: str | None = None) -> Json:
    """`media_id` is that of the message's attachment, uploaded."""
    # A business-scoped id has a dot; a number has not.
    address = "recipient" if "." in message.to else "to"
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        address: message.to,
        "biz_opaque_callback_data": str(message.id),
        **_content(message.content, message.attachment, media_id),
    }


def read_mark(provider_id: str, shows_typing: bool) -> Json:
    mark: Json = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": provider_id,
    }
    return mark | ({"typing_indicator": {"type": "text"}} if shows_typing else {})


def _content(content: Content, attachment: Attachment | None, media_id: str | None) -> Json:
    file = _file(attachment, media_id)
    match content:
        case TextContent() if attachment is not None and file:
            return {
                "type": attachment.kind,
                attachment.kind: file | {"caption": lengths.cut(content.body, lengths.CAPTION)},
            }
        case ButtonsContent() if attachment is not None and file:
            header = {"type": attachment.kind, attachment.kind: file}
            return {"type": "interactive", "interactive": _buttons(content) | {"header": header}}
        case TextContent():
            return {"type": "text", "text": {"body": content.body, "preview_url": False}}
        case ButtonsContent():
            return {"type": "interactive", "interactive": _buttons(content)}
        case ListContent():
            return {"type": "interactive", "interactive": _list(content)}
        case TemplateContent():
            return {"type": "template", "template": _template(content)}


def _file(attachment: Attachment | None, media_id: str | None) -> Json:
    if attachment is None or media_id is None:
        return {}
    name = {"filename": attachment.filename} if attachment.kind == "document" else {}
    return {"id": media_id, **name}


def _buttons(content: ButtonsContent) -> Json:
    buttons = [
        {"type": "reply", "reply": {"id": button.id, "title": button.title}}
        for button in content.buttons
    ]
    return _interactive("button", content.body, content.footer, {"buttons": buttons})


def _list(content: ListContent) -> Json:
    sections = [
        {
            "title": section.title,
            "rows": [
                {"id": row.id, "title": row.title}
                | ({"description": row.description} if row.description else {})
                for row in section.rows
            ],
        }
        for section in content.sections
    ]
    action: Json = {"button": content.button, "sections": sections}
    return _interactive("list", content.body, content.footer, action)


def _interactive(kind: str, body: str, footer: str | None, action: Json) -> Json:
    shown: Json = {"type": kind, "body": {"text": body}, "action": action}
    return shown | ({"footer": {"text": footer}} if footer else {})


def _template(content: TemplateContent) -> Json:
    components: list[Json] = []
    if content.parameters:
        parameters = [{"type": "text", "text": text} for text in content.parameters]
        components.append({"type": "body", "parameters": parameters})
    components += [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": [{"type": "payload", "payload": payload}],
        }
        for index, payload in enumerate(content.payloads)
    ]
    return {
        "name": content.name,
        "language": {"code": content.language},
        "components": components,
    }
