"""What was decided becomes rows, and messages of the same transaction."""

from collections.abc import Iterator

from common.events import HandleReply, InboundRef, Message, SendMessage
from common.ids import derived_id
from users import metrics
from users.exchange import HandOn, Outcome, Reply, Situation
from users.occasion import Occasion
from users.people import Consent, Person
from users.registration import block_numbers
from users.store import Circumstances, Store


async def record_outcome(
    outcome: Outcome,
    situation: Situation,
    before: Person,
    known: Circumstances,
    *,
    inbound: InboundRef,
    occasion: Occasion,
    store: Store,
) -> Person:
    if outcome.person.state == "deleted":
        await block_numbers(known.numbers, store, occasion.now)
    after = await store.record(before, outcome.person, source="chat", now=occasion.now)
    if after.state == "opted_out" != before.state:
        metrics.OPT_OUTS.labels("chat").inc()
    if outcome.consent is not None:
        await store.record_consent(after, _consent(outcome.consent, occasion))
    if outcome.dialogue is None and known.dialogue is not None:
        await store.end_dialogue(after.id)
    elif outcome.dialogue is not None and outcome.dialogue != situation.dialogue:
        await store.keep_dialogue(after.id, outcome.dialogue)
    for message in _answers(outcome, after, inbound, occasion):
        store.publish(message)
    return after


def _consent(is_granted: bool, occasion: Occasion) -> Consent:
    return Consent(is_granted, occasion.policy_version, occasion.channel, occasion.id, occasion.now)


def _answers(
    outcome: Outcome, person: Person, inbound: InboundRef, occasion: Occasion
) -> Iterator[Message]:
    """Their ids are derived from what is answered: a retry says the same, not more."""
    if outcome.reply is not None:
        yield _send(outcome.reply, person, inbound, occasion)
    if outcome.hand_on is not None:
        yield _handle_reply(outcome.hand_on, person, inbound, occasion)


def _send(reply: Reply, person: Person, inbound: InboundRef, occasion: Occasion) -> SendMessage:
    return SendMessage(
        message_id=derived_id("reply", occasion.id),
        occurred_at=occasion.now,
        user_id=person.id,
        kind=reply.kind,
        values=dict(reply.values),
        purpose=reply.purpose,
        inbound=inbound,
        contact=person.contact,
    )


def _handle_reply(
    hand_on: HandOn, person: Person, inbound: InboundRef, occasion: Occasion
) -> HandleReply:
    return HandleReply(
        message_id=derived_id("hand-on", occasion.id),
        occurred_at=occasion.now,
        user_id=person.id,
        kind=hand_on.kind,
        text=hand_on.text,
        assignment_id=hand_on.assignment_id,
        inbound=inbound,
    )
