"""WAHA's raw events and messages, turned into ours. Pure: the gateway reads webhooks with it, the
messenger what was missed during an outage, and both make the same message of the same thing."""

from common.waha.chats import bare_id, chat_of
from common.waha.reading import events_in, message_in

__all__ = ["bare_id", "chat_of", "events_in", "message_in"]
