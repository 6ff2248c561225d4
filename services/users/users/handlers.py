"""Inbound messages, from WhatsApp's webhook to a reply, a change, or the scheduler."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.events import (
    HandleReply,
    InboundUnderstood,
    Message,
    MessageReceived,
    QuestionAssigned,
    QuestionClosed,
    SendMessage,
)
from common.ids import UserId, derived_id, new_id
from users import metrics, people
from users.conversation import HandOn, Outcome, Reply, Situation, respond
from users.errors import SenderHasNoName
from users.identity import Alias, aliases_of
from users.keywords import language_of_words
from users.people import Consent, Person
from users.registration import block_number
from users.store import Store
from users.understanding import Heard, Intent, Standing, understand
from users.zones import language_of_number

CLOSED_KEPT = timedelta(days=4)
"""Longer than the stream of events keeps anything that could still arrive."""

OPENS_NO_WINDOW = frozenset({"system", "edit", "revoke", "reaction"})
NAMED_STATES = frozenset({"onboarding", "pending", "active", "paused"})


@dataclass(frozen=True)
class Turn:
    """One inbound message, and what holds while it is dealt with."""

    message: MessageReceived
    now: datetime
    policy_version: str


async def understand_message(turn: Turn, store: Store) -> None:
    before = await _meet(turn, store)
    known = await store.get_circumstances(before.id)
    if new := known.unknown_of(aliases_of(turn.message.sender)):
        await store.learn_aliases(before.id, new, turn.now)
    situation = Situation(
        _as_met(before, turn.message),
        turn.now,
        turn.message.text or "",
        known.dialogue_at(turn.now),
        known.open_question,
    )
    intent = understand(_heard(turn.message), _standing(situation))
    outcome = respond(intent, situation)
    after = await _keep(turn, store, before, outcome)
    if outcome.dialogue is None and known.dialogue is not None:
        await store.end_dialogue(after.id)
    elif outcome.dialogue is not None and outcome.dialogue != situation.dialogue:
        await store.keep_dialogue(after.id, outcome.dialogue)
    for message in _answers(turn, intent, outcome, after):
        store.publish(message)
    metrics.INBOUND.labels(intent.meaning).inc()


async def _meet(turn: Turn, store: Store) -> Person:
    aliases = aliases_of(turn.message.sender)
    if not aliases:
        raise SenderHasNoName
    found = await store.get_or_create(aliases, _stranger(turn, aliases))
    return found[0] if len(found) == 1 else await _unite(found, store, turn.now)


def _stranger(turn: Turn, aliases: Sequence[Alias]) -> Person:
    number = next((alias.value for alias in aliases if alias.group == "number"), None)
    guessed = language_of_words(turn.message.text or "") or language_of_number(number)
    return Person(
        id=UserId(new_id()),
        state="unknown",
        language=guessed,
        created_at=turn.now,
        updated_at=turn.now,
        channel=turn.message.channel,
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


async def _keep(turn: Turn, store: Store, before: Person, outcome: Outcome) -> Person:
    if outcome.person.state == "deleted":
        await block_number(before, store, turn.now)
    after = await store.record(before, outcome.person, source="chat", now=turn.now)
    if after.state == "opted_out" != before.state:
        metrics.OPT_OUTS.labels("chat").inc()
    if outcome.consent is not None:
        message = turn.message
        await store.record_consent(
            after,
            Consent(
                outcome.consent, turn.policy_version, message.channel, message.message_id, turn.now
            ),
        )
    return after


def _answers(turn: Turn, intent: Intent, outcome: Outcome, person: Person) -> Iterator[Message]:
    """Their ids are derived from the inbound message: a retry says the same, not more."""
    if outcome.reply is not None:
        yield _send(turn, outcome.reply, person)
    if outcome.hand_on is not None:
        yield _handle_reply(turn, outcome.hand_on, person)
    yield InboundUnderstood(
        message_id=derived_id("understood", turn.message.message_id),
        occurred_at=turn.now,
        user_id=person.id,
        inbound=turn.message.ref,
        intent=intent.meaning,
        opens_window=turn.message.kind not in OPENS_NO_WINDOW,
    )


def _send(turn: Turn, reply: Reply, person: Person) -> SendMessage:
    return SendMessage(
        message_id=derived_id("reply", turn.message.message_id),
        occurred_at=turn.now,
        user_id=person.id,
        kind=reply.kind,
        values=dict(reply.values),
        purpose=reply.purpose,
        inbound=turn.message.ref,
        contact=person.contact,
    )


def _handle_reply(turn: Turn, hand_on: HandOn, person: Person) -> HandleReply:
    return HandleReply(
        message_id=derived_id("hand-on", turn.message.message_id),
        occurred_at=turn.now,
        user_id=person.id,
        kind=hand_on.kind,
        text=hand_on.text,
        assignment_id=hand_on.assignment_id,
        inbound=turn.message.ref,
    )


async def follow_questions(events: Sequence[Message], store: Store, now: datetime) -> None:
    """Which question is open for whom, whatever the order in which the news comes."""
    opened = [e for e in events if isinstance(e, QuestionAssigned)]
    closed = [e for e in events if isinstance(e, QuestionClosed)]
    await store.open_questions([(e.assignment_id, e.user_id, e.occurred_at) for e in opened])
    await store.close_questions(
        [(e.assignment_id, e.user_id, e.occurred_at) for e in closed], now - CLOSED_KEPT
    )
