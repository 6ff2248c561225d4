"""How an outgoing message looks on the phone."""

from datetime import datetime

from simulator import payloads
from simulator.templates import Hydrated
from simulator.transcript import Media, Message, Option, new_message_id


def bubble(
    call: payloads.OutgoingMessage, wa_id: str, at: datetime, hydrated: Hydrated | None
) -> Message:
    message = Message(
        id=new_message_id(wa_id, "bot"),
        sender="bot",
        type=call.type,
        at=at,
        quote=call.context.message_id if call.context else None,
    )
    _fill(message, call, hydrated)
    return message


def _fill(message: Message, call: payloads.OutgoingMessage, hydrated: Hydrated | None) -> None:
    match call:
        case payloads.TextMessage():
            message.text = call.text.body
        case payloads.InteractiveMessage():
            _fill_interactive(message, call.interactive)
        case payloads.TemplateMessage():
            _fill_template(message, call.template.name, hydrated)
        case payloads.ImageMessage():
            _fill_media(message, call.image)
        case payloads.DocumentMessage():
            _fill_media(message, call.document)
        case payloads.ReactionMessage():
            message.text = call.reaction.emoji
            message.quote = call.reaction.message_id


def _fill_interactive(message: Message, interactive: payloads.Interactive) -> None:
    message.text = interactive.body.text
    message.interactive = interactive.type
    message.footer = interactive.footer.text if interactive.footer else None
    message.header = interactive.header.text if interactive.header else None
    if isinstance(interactive, payloads.ListInteractive):
        message.menu = interactive.action.button
        message.options = _rows(interactive.action)
    else:
        replies = [button.reply for button in interactive.action.buttons]
        message.options = tuple(Option(id=reply.id, title=reply.title) for reply in replies)


def _rows(action: payloads.ListAction) -> tuple[Option, ...]:
    return tuple(
        Option(
            id=row.id,
            title=row.title,
            description=row.description or None,
            section=section.title or None,
        )
        for section in action.sections
        for row in section.rows
    )


def _fill_template(message: Message, name: str, hydrated: Hydrated | None) -> None:
    message.template = name
    if hydrated:
        message.text = hydrated.body
        message.header = hydrated.header
        message.footer = hydrated.footer
        message.options = hydrated.options


def _fill_media(message: Message, media: payloads.Media) -> None:
    message.text = media.caption
    message.media = Media(id=media.id, link=media.link, filename=media.filename)
