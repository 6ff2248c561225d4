"""Inbound messages, from WhatsApp's webhook to a reply, a change, or the scheduler."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from common.bus.consumer import Delivery
from common.database import Transaction
from common.events import (
    HandleReply,
    InboundUnderstood,
    MessageReceived,
    QuestionAssigned,
    QuestionClosed,
    SendMessage,
)
from common.ids import UserId, derived_id, new_id
from users import metrics, people
from users.conversation import Outcome, Situation, respond
from users.errors import SenderHasNoName
from users.identity import Alias, aliases_of
from users.keywords import language_of_words
from users.people import Person
from users.registration import block_number
from users.store import Store
from users.understanding import Heard, Intent, Standing, understand
from users.zones import language_of_number

CLOSED_KEPT = timedelta(days=4)
"""Longer than the stream of events keeps anything that could still arrive."""

OPENS_NO_WINDOW = frozenset({"system", "edit", "revoke", "reaction"})
NAMED_STATES = frozenset({"onboarding", "pending", "active", "paused"})


async def understand_message(
    message: MessageReceived, store: Store, now: datetime, policy_version: str
) -> None:
    person = await _meet(message, store, now)
    before = person
    person = _as_met(person, message)
    situation = Situation(
        person,
        now,
        message.text or "",
        await store.find_dialogue(person.id, now),
        await store.find_open_question(person.id),
    )
    intent = understand(_heard(message), _standing(situation))
    outcome = respond(intent, situation)
    after = await _keep(message, store, now, before, situation, outcome, policy_version)
    _tell(message, store, now, intent, outcome, after)
    metrics.INBOUND.labels(intent.meaning).inc()


async def _meet(message: MessageReceived, store: Store, now: datetime) -> Person:
    aliases = aliases_of(message.sender)
    if not aliases:
        raise SenderHasNoName
    found = await store.get_or_create(aliases, _stranger(message, aliases, now))
    person = found[0] if len(found) == 1 else await _unite(found, store, now)
    if person.revision:
        await store.learn_aliases(person.id, aliases, now)
    return person


def _stranger(message: MessageReceived, aliases: Sequence[Alias], now: datetime) -> Person:
    number = next((alias.value for alias in aliases if alias.group == "number"), None)
    guessed = language_of_words(message.text or "") or language_of_number(number)
    return Person(
        id=UserId(new_id()),
        state="unknown",
        language=guessed,
        created_at=now,
        updated_at=now,
        channel=message.channel,
        address=number,
    )


async def _unite(found: Sequence[Person], store: Store, now: datetime) -> Person:
    """Two names that we took for two people arrive in one message: the one who got furthest
    stays, and a STOP of either counts."""
    winner, *losers = sorted(found, key=people.rank)
    for loser in losers:
        await store.give_identities(loser.id, winner.id)
        await store.record(loser, people.deleted(loser), source="united", now=now)
    if any(person.state == "opted_out" for person in losers) and winner.state != "opted_out":
        return await store.record(winner, people.opted_out(winner), source="united", now=now)
    return winner


def _as_met(person: Person, message: MessageReceived) -> Person:
    """WhatsApp knows better than a web form where a person is reached."""
    aliases = aliases_of(message.sender)
    number = next((alias.value for alias in aliases if alias.kind == "wa_id"), person.address)
    is_named = person.name is None and person.consented_at and person.state in NAMED_STATES
    name = people.clean_name(message.sender.profile_name) if is_named else person.name
    return replace(person, address=number, channel=message.channel, name=name)


def _heard(message: MessageReceived) -> Heard:
    return Heard(message.kind, message.text or "", message.choice_id)


def _standing(situation: Situation) -> Standing:
    return Standing(
        situation.person.state,
        situation.dialogue.step if situation.dialogue else None,
        situation.open_question is not None,
        situation.person.channel,
    )


async def _keep(
    message: MessageReceived,
    store: Store,
    now: datetime,
    before: Person,
    situation: Situation,
    outcome: Outcome,
    policy_version: str,
) -> Person:
    if outcome.person.state == "deleted":
        await block_number(before, store, now)
    after = await store.record(before, outcome.person, source="chat", now=now)
    if outcome.consent is not None:
        await store.record_consent(
            situation.person,
            is_granted=outcome.consent,
            version=policy_version,
            source_id=message.message_id,
            channel=message.channel,
            now=now,
        )
    if outcome.dialogue != situation.dialogue and after.state != "deleted":
        await store.keep_dialogue(after.id, outcome.dialogue)
    return after


def _tell(
    message: MessageReceived,
    store: Store,
    now: datetime,
    intent: Intent,
    outcome: Outcome,
    person: Person,
) -> None:
    """Names are derived from the inbound message: a retry says the same, not more."""
    ref = message.ref
    if (reply := outcome.reply) is not None:
        store.publish(
            SendMessage(
                message_id=derived_id("reply", message.message_id),
                occurred_at=now,
                user_id=person.id,
                kind=reply.kind,
                values=dict(reply.values),
                purpose=reply.purpose,
                inbound=ref,
                contact=person.contact,
            )
        )
    if (hand_on := outcome.hand_on) is not None:
        store.publish(
            HandleReply(
                message_id=derived_id("hand-on", message.message_id),
                occurred_at=now,
                user_id=person.id,
                kind=hand_on.kind,
                text=hand_on.text,
                assignment_id=hand_on.assignment_id,
                inbound=ref,
            )
        )
    store.publish(
        InboundUnderstood(
            message_id=derived_id("understood", message.message_id),
            occurred_at=now,
            user_id=person.id,
            inbound=ref,
            intent=intent.meaning,
            opens_window=message.kind not in OPENS_NO_WINDOW,
        )
    )


async def follow_questions(
    deliveries: Sequence[Delivery], transaction: Transaction, now: datetime
) -> None:
    """Which question is open for whom, whatever the order in which the news comes."""
    store = Store(transaction)
    events = [delivery.message for delivery in deliveries]
    opened = [e for e in events if isinstance(e, QuestionAssigned)]
    closed = [e for e in events if isinstance(e, QuestionClosed)]
    await store.open_questions([(e.assignment_id, e.user_id, e.occurred_at) for e in opened])
    await store.close_questions(
        [(e.assignment_id, e.user_id, e.occurred_at) for e in closed], now - CLOSED_KEPT
    )
