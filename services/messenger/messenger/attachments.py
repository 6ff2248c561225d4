"""May this file go to WhatsApp? Asked before anything is uploaded."""

from common.events import Attachment
from messenger.rendering import Content, ListContent, NotRenderable

MOST_BYTES = {"image": 5 * 2**20, "document": 100 * 2**20}
MIME_TYPES = {
    "image": frozenset({"image/jpeg", "image/png"}),
    "document": frozenset({"application/pdf", "text/plain"}),
}


def check_attachment(attachment: Attachment | None, content: Content) -> None:
    """Raises NotRenderable: WhatsApp would refuse it each time."""
    if attachment is None:
        return
    if isinstance(content, ListContent):
        raise NotRenderable("attachment_with_list")
    if attachment.mime_type not in MIME_TYPES[attachment.kind]:
        raise NotRenderable("attachment_type")
    if not 0 < len(attachment.data) <= MOST_BYTES[attachment.kind]:
        raise NotRenderable("attachment_size")
