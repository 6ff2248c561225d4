import pytest

from users.keywords import normalised
from users.times import is_time, parse_time
from users.zones import find_zone, is_zone, language_of_number, zone_of_number


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("7:30", "07:30"), ("07:30", "07:30"), ("7h30", "07:30"), ("7h", "07:00"), ("19h", "19:00"),
        ("19 h", "19:00"), ("7pm", "19:00"), ("7 PM", "19:00"), ("7:30 p.m.", "19:30"),
        ("12am", "00:00"), ("12 pm", "12:00"), ("8", "08:00"), ("às 8", "08:00"),
        ("a las 8 y media", "08:30"), ("8 e meia", "08:30"), ("19.30", "19:30"),
        ("9 horas", "09:00"),
        ("noon", "12:00"), ("meio-dia", "12:00"), ("mediodía", "12:00"), ("0h", "00:00"),
        ("at 6", "06:00"), ("24h", None), ("25:00", None), ("7:60", None), ("13pm", None),
        ("0am", None), ("7:3", None), ("", None), ("soon", None), ("123", None), ("-1", "01:00"),
    ],
)  # fmt: skip
def test_a_time_is_read_as_people_write_it(text: str, time: str | None) -> None:
    assert parse_time(normalised(text)) == time


@pytest.mark.parametrize("value", ["9:00", "24:00", "09:60", "0900", "", "09:00 ", "٠٩:٠٠"])
def test_only_one_form_of_a_time_is_kept(value: str) -> None:
    assert not is_time(value)
    assert is_time("00:00")
    assert is_time("23:59")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Lisbon", "Europe/Lisbon"), ("europe/lisbon", "Europe/Lisbon"),
        ("lisboa", "Europe/Lisbon"), ("Lisbon", "Europe/Lisbon"),
        ("São Paulo", "America/Sao_Paulo"),
        ("sao paulo!", "America/Sao_Paulo"), ("Madri", "Europe/Madrid"),
        ("Madrid", "Europe/Madrid"),
        ("Nova York", "America/New_York"), ("new york", "America/New_York"),
        ("Ciudad de México", "America/Mexico_City"), ("cidade do méxico", "America/Mexico_City"),
        ("Bogotá", "America/Bogota"), ("Port-au-Prince", "America/Port-au-Prince"),
        ("Cuiabá", "America/Cuiaba"), ("manaus", "America/Manaus"), ("UTC", "UTC"),
        ("Atlantis", None), ("", None), ("../../etc/passwd", None), ("Factory", None),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_its_name_or_a_city(text: str, zone: str | None) -> None:
    assert find_zone(text) == zone
    assert zone is None or is_zone(zone)


@pytest.mark.parametrize(
    ("digits", "zone", "language"),
    [
        ("5511987654321", "America/Sao_Paulo", "pt"),
        ("5592991234567", "America/Manaus", "pt"),
        ("5597991234567", "America/Manaus", "pt"),
        ("5565991234567", "America/Cuiaba", "pt"),
        ("5566991234567", "America/Cuiaba", "pt"),
        ("5567991234567", "America/Campo_Grande", "pt"),
        ("5569991234567", "America/Porto_Velho", "pt"),
        ("5595991234567", "America/Boa_Vista", "pt"),
        ("5568991234567", "America/Rio_Branco", "pt"),
        ("351912345678", "Europe/Lisbon", "pt"),
        ("34600000001", "Europe/Madrid", "es"),
        ("14155550123", "America/New_York", "en"),
        ("5215512345678", "America/Mexico_City", "es"),
        ("5491123456789", "America/Argentina/Buenos_Aires", "es"),
        ("4915112345678", "Europe/Berlin", "en"),
        ("9991234567", "UTC", "en"),
        (None, "UTC", "en"),
    ],
)
def test_a_number_gives_a_first_guess(digits: str | None, zone: str, language: str) -> None:
    assert zone_of_number(digits) == zone
    assert is_zone(zone)
    assert language_of_number(digits) == language
