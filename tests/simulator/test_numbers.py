import pytest

from simulator.identifiers import Identifiers, country_of
from simulator.numbers import InvalidNumber, WaIdForm, canonical_number, wa_id_of


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("+55 (11) 98765-4321", "5511987654321"),
        ("551187654321", "5511987654321"),
        ("551133334444", "551133334444"),  # a landline has eight digits
        ("5215512345678", "525512345678"),
        ("+52 55 1234 5678", "525512345678"),
        ("+1 415 555 0100", "14155550100"),
    ],
)
def test_one_person_has_one_number_however_it_is_written(written: str, canonical: str) -> None:
    assert canonical_number(written) == canonical


@pytest.mark.parametrize("written", ["", "12", "nobody", "0551198765", "1" * 16])
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(InvalidNumber):
        canonical_number(written)


@pytest.mark.parametrize(
    ("number", "form", "wa_id"),
    [
        ("5511987654321", "canonical", "5511987654321"),
        ("5511987654321", "without_ninth_digit", "551187654321"),
        ("14155550100", "without_ninth_digit", "14155550100"),
        ("525512345678", "with_mobile_one", "5215512345678"),
        ("5511987654321", "with_mobile_one", "5511987654321"),
    ],
)
def test_whatsapp_may_know_a_number_in_an_older_form(
    number: str, form: WaIdForm, wa_id: str
) -> None:
    assert wa_id_of(number, form) == wa_id
    assert canonical_number(wa_id) == number


def test_ids_repeat_with_the_seed_and_not_after_a_reset() -> None:
    first, second = Identifiers(7), Identifiers(7)
    assert first.media_id() == second.media_id()
    message = first.message_id("5511987654321", "bot", 0)
    user = first.user_id("5511987654321", 0)
    assert message == second.message_id("5511987654321", "bot", 0)
    first.renew()
    assert first.message_id("5511987654321", "bot", 0) != message
    assert first.media_id() != second.media_id()
    assert first.user_id("5511987654321", 0) == user
    assert first.user_id("5511987654321", 1) != user


@pytest.mark.parametrize(
    ("number", "country"), [("5511987654321", "BR"), ("351912345678", "PT"), ("99412345678", "ZZ")]
)
def test_a_business_scoped_id_names_the_country(number: str, country: str) -> None:
    assert country_of(number) == country
    assert Identifiers(7).user_id(number, 0).startswith(f"{country}.")
