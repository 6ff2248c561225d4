"""How an outgoing message looks on the phone."""

from datetime import datetime

from simulator import payloads
from simulator.hydration import Hydrated
from simulator.transcript import Media, Message, Option


def bubble(
    call: payloads.OutgoingMessage, message_id: str, at: datetime, hydrated: Hydrated | None
) -> Message:
    message = Message(
        id=message_id,
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
        case payloads.LocationMessage():
            message.text = f"{call.location.latitude}, {call.location.longitude}"
        case payloads.ContactsMessage():
            message.text = ", ".join(card.name.formatted_name for card in call.contacts)
        case payloads.ReactionMessage():
            message.text = call.reaction.emoji
            message.quote = call.reaction.message_id
        case _:
            _fill_media(message, call.media)


def _fill_interactive(message: Message, interactive: payloads.Interactive) -> None:
    message.text = interactive.body.text
    message.interactive = None if interactive.type == "cta_url" else interactive.type
    message.footer = interactive.footer.text if interactive.footer else None
    message.header = interactive.header.text if interactive.header else None
    if isinstance(interactive, payloads.ListInteractive):
        message.menu = interactive.action.button
        message.options = _rows(interactive.action)
    elif isinstance(interactive, payloads.LinkInteractive):
        link = interactive.action.parameters
        message.media = Media(link=link.url, filename=link.display_text)
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
    message.media = Media(id=media.id, link=media.link, filename=media.filename, voice=media.voice)
