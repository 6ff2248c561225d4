from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.waha import message_in

from .waha_payloads import ANA, ANA_HIDDEN, NOW, all_of, event, payload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELD_NAMES = (
    "id from fromMe body timestamp _data media reaction vCards location replyTo hasMedia "
    "message key vote poll after before selectedOptions ack ackName editedMessageId "
    "revokedMessageId Info type protocolMessage reactionMessage imageMessage "
    "listResponseMessage ephemeralMessage"
)
FIELDS = st.sampled_from(FIELD_NAMES.split())
SHAPED = st.recursive(
    JSON | st.sampled_from([ANA, ANA_HIDDEN, f"false_{ANA}_3EB0"]),
    lambda inner: st.dictionaries(FIELDS, inner, max_size=8),
    max_leaves=20,
)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = ["message", "message.reaction", "message.edited", "message.revoked", "message.ack"]


@MANY
@given(
    damage=st.dictionaries(FIELDS, SHAPED, max_size=6), name=st.sampled_from([*NAMES, "poll.vote"])
)
def test_no_damage_to_a_payload_raises_and_none_loses_it(damage: Any, name: str) -> None:
    damaged = payload() | damage
    for found in all_of(event(name, damaged)):
        assert type(found).model_validate_json(found.model_dump_json())
    found_alone = message_in(damaged, session="default", now=NOW)
    if "fromMe" not in damage and "id" not in damage and "from" not in damage:
        is_ours = isinstance(damaged["_data"], dict) and damaged["_data"].get("key")
        assert found_alone is not None or is_ours


@MANY
@given(garbage=JSON | SHAPED)
def test_no_garbage_raises(garbage: Any) -> None:
    for whole in (garbage, event("message", garbage), event("poll.vote", garbage)):
        for found in all_of(whole):
            assert found.model_dump_json()
    message_in(garbage, session="default", now=NOW)
