from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.events import MessageReceived, NoticeReceived

from .cloud_payloads import ANA, all_in, change, in_conversation

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIELD_NAMES = (
    "id from from_user_id timestamp type text body interactive button_reply list_reply "
    "nfm_reply image audio caption voice location contacts name formatted_name order "
    "product_items reaction message_id edit original_message_id message revoke system "
    "wa_id previous_user_id user_id context errors code error_data status entry changes "
    "field value metadata group_id"
)
FIELDS = st.sampled_from(FIELD_NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=15,
)
TYPE_NAMES = "text button interactive image audio location contacts order reaction system edit x"
TYPES = st.sampled_from(TYPE_NAMES.split())


@MANY
@given(damage=st.dictionaries(FIELDS, JSON, max_size=6), kind=TYPES)
def test_no_damage_to_an_item_raises_and_none_loses_it(damage: Any, kind: str) -> None:
    good = {"from": ANA, "id": "wamid.good", "type": "text", "text": {"body": "kept"}}
    damaged = {"from": ANA, "id": "wamid.1", "type": kind} | damage
    found = in_conversation(messages=[damaged, good], statuses=[damaged], contacts=[damaged])
    assert len(found) == 3
    assert any(isinstance(each, MessageReceived) and each.text == "kept" for each in found)
    for each in found:
        assert type(each).model_validate_json(each.model_dump_json())


@MANY
@given(garbage=JSON, field=st.sampled_from(["messages", "user_preferences", "account_update"]))
def test_garbage_is_kept_and_never_raises(garbage: Any, field: str) -> None:
    for body in ({"entry": garbage}, {"entry": [garbage]}, change(field, garbage)):
        assert all_in(body)
    for found in in_conversation(errors=garbage, messages=garbage):
        assert isinstance(found, MessageReceived | NoticeReceived)
