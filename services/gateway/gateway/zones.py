"""Which clock somebody most likely lives by, when all that is known is their number."""

from zoneinfo import available_timezones

MAIN_ZONES = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "GB": "Europe/London",
    "GL": "America/Nuuk",
    "ID": "Asia/Jakarta",
    "IE": "Europe/Dublin",
    "IL": "Asia/Jerusalem",
    "IT": "Europe/Rome",
    "JM": "America/Jamaica",
    "KZ": "Asia/Almaty",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "NO": "Europe/Oslo",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "TT": "America/Port_of_Spain",
    "US": "America/New_York",
    "UY": "America/Montevideo",
}
"""For countries with several zones, where the number's area does not tell."""

NOWHERE = "UTC"


def zone_of_number(phone: str) -> str:
    """A guess that the person sees, and may change. `phone` is E.164."""
    import phonenumbers
    from phonenumbers.timezone import time_zones_for_number

    number = phonenumbers.parse(phone, None)
    possible = [zone for zone in time_zones_for_number(number) if zone in available_timezones()]
    if len(possible) == 1:
        return possible[0]
    region = phonenumbers.region_code_for_number(number)
    region = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return MAIN_ZONES.get(region or "", possible[0] if possible else NOWHERE)
