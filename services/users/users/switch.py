"""WhatsApp's own switch, by which a person stops, or again allows, what we send unasked."""

from collections.abc import Sequence
from datetime import datetime

from common.events import Channel, MessageFailed, PreferenceReceived
from common.ids import UserId
from users import metrics, people
from users.identity import aliases_of
from users.occasion import Occasion
from users.people import Consent, Person
from users.store import Store

PERSON_STOPPED = "person_stopped"
"""The reason of a MessageFailed: WhatsApp refused it for that switch."""

SOURCE = "whatsapp"


async def hear_preference(
    event: PreferenceReceived, store: Store, now: datetime, policy_version: str
) -> None:
    """Nobody is created for it: whoever is unknown is sent nothing anyway."""
    occasion = Occasion(event.message_id, event.channel, now, policy_version)
    aliases = aliases_of(event.sender)
    found = await store.find_by_alias(aliases) if aliases else []
    for person in found:
        changed = people.preferring(person, event.set_at, is_wanted=event.is_wanted)
        await _keep(person, changed, store, occasion)
    if not found:
        metrics.PREFERENCES.labels("unknown").inc()


async def stop_refused(
    failed: Sequence[MessageFailed], store: Store, now: datetime, policy_version: str
) -> None:
    """In one order of people, whatever the order of the news: two replicas never wait for each
    other."""
    last: dict[UserId, MessageFailed] = {}
    for event in failed:
        if event.reason == PERSON_STOPPED:
            known = last.setdefault(event.user_id, event)
            last[event.user_id] = max(known, event, key=lambda e: e.occurred_at)
    for user_id in sorted(last):
        person = await store.find(user_id)
        if person is not None:
            event = last[user_id]
            channel: Channel = "cloud"  # WAHA has no such switch
            occasion = Occasion(event.message_id, channel, now, policy_version)
            changed = people.preferring(person, event.occurred_at, is_wanted=False)
            await _keep(person, changed, store, occasion)


async def _keep(person: Person, changed: Person, store: Store, occasion: Occasion) -> None:
    after = await store.record(person, changed, source=SOURCE, now=occasion.now)
    if after.state == person.state:
        metrics.PREFERENCES.labels("noted").inc()
        return
    is_granted = after.state == "active"
    word = Consent(is_granted, occasion.policy_version, occasion.channel, occasion.id, occasion.now)
    await store.record_consent(after, word)
    metrics.PREFERENCES.labels("resumed" if is_granted else "paused").inc()
