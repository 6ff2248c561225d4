"""Time zones by name, by city and, as a first guess only, by phone number."""

from functools import cache
from zoneinfo import available_timezones

from common.events import Language
from users.keywords import normalised

NOT_PLACES = frozenset({"Factory", "localtime", "posixrules", "posix", "right"})
LEGACY_REGIONS = frozenset({"US", "Brazil", "Mexico", "Canada", "Chile", "Etc", "SystemV"})
DEFAULT = "UTC"

CITIES: dict[str, str] = {
    **dict.fromkeys(
        (
            *("brasilia", "rio", "rio de janeiro", "belo horizonte", "curitiba", "porto alegre"),
            *("florianopolis", "goiania", "vitoria", "campinas", "sampa", "sp", "rj", "brasil"),
        ),
        "America/Sao_Paulo",
    ),
    **dict.fromkeys(("lisboa", "porto", "coimbra", "braga"), "Europe/Lisbon"),
    **dict.fromkeys(
        ("madri", "barcelona", "valencia", "sevilla", "bilbao", "malaga"), "Europe/Madrid"
    ),
    **dict.fromkeys(
        ("nova york", "nova iorque", "nueva york", "nyc", "boston", "miami", "washington"),
        "America/New_York",
    ),
    **dict.fromkeys(("san francisco", "seattle", "san diego", "las vegas"), "America/Los_Angeles"),
    **dict.fromkeys(("houston", "dallas", "austin"), "America/Chicago"),
    **dict.fromkeys(
        ("cidade do mexico", "ciudad de mexico", "cdmx", "mexico", "guadalajara", "puebla"),
        "America/Mexico_City",
    ),
    **dict.fromkeys(("medellin", "cali", "barranquilla"), "America/Bogota"),
    **dict.fromkeys(("natal", "joao pessoa", "sao luis", "teresina"), "America/Fortaleza"),
    **dict.fromkeys(("salvador",), "America/Bahia"),
    **dict.fromkeys(("palmas",), "America/Araguaina"),
    **dict.fromkeys(("macapa",), "America/Belem"),
    **dict.fromkeys(("rosario", "mendoza"), "America/Argentina/Buenos_Aires"),
    **dict.fromkeys(("quito",), "America/Guayaquil"),
    **dict.fromkeys(("londres", "manchester", "edinburgh"), "Europe/London"),
    **dict.fromkeys(("berlim", "munich", "munique", "hamburg", "frankfurt"), "Europe/Berlin"),
    **dict.fromkeys(("roma", "milan", "milao"), "Europe/Rome"),
    **dict.fromkeys(("dublim",), "Europe/Dublin"),
    **dict.fromkeys(("amsterda",), "Europe/Amsterdam"),
    **dict.fromkeys(("toquio", "tokio"), "Asia/Tokyo"),
}

BY_PREFIX: dict[str, str] = {
    "55": "America/Sao_Paulo",
    **dict.fromkeys(("5592", "5597"), "America/Manaus"),
    **dict.fromkeys(("5565", "5566"), "America/Cuiaba"),
    "5567": "America/Campo_Grande",
    "5568": "America/Rio_Branco",
    "5569": "America/Porto_Velho",
    "5595": "America/Boa_Vista",
    "351": "Europe/Lisbon",
    "34": "Europe/Madrid",
    "1": "America/New_York",
    "52": "America/Mexico_City",
    "54": "America/Argentina/Buenos_Aires",
    "57": "America/Bogota",
    "56": "America/Santiago",
    "51": "America/Lima",
    "598": "America/Montevideo",
    "595": "America/Asuncion",
    "591": "America/La_Paz",
    "593": "America/Guayaquil",
    "58": "America/Caracas",
    "506": "America/Costa_Rica",
    "44": "Europe/London",
    "353": "Europe/Dublin",
    "49": "Europe/Berlin",
    "33": "Europe/Paris",
    "39": "Europe/Rome",
    "31": "Europe/Amsterdam",
    "41": "Europe/Zurich",
    "91": "Asia/Kolkata",
    "81": "Asia/Tokyo",
    "244": "Africa/Luanda",
    "258": "Africa/Maputo",
    "238": "Atlantic/Cape_Verde",
}

PORTUGUESE = ("55", "351", "244", "258", "238", "239", "245", "670")
SPANISH = (
    *("34", "51", "52", "53", "54", "56", "57", "58", "591", "593", "595", "598", "240"),
    *("502", "503", "504", "505", "506", "507", "1787", "1809", "1829", "1849", "1939"),
)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - NOT_PLACES


@cache
def _by_city() -> dict[str, str]:
    """Folded last part of every place's name; the shorter name wins a shared one."""
    places = sorted(
        (n for n in _names() if "/" in n and n.split("/")[0] not in LEGACY_REGIONS),
        key=lambda name: (-len(name), name),
    )
    cities = {normalised(name.rsplit("/", 1)[1].replace("_", " ")): name for name in places}
    return {**cities, **CITIES}


def is_zone(name: str) -> bool:
    return name in _names()


def find_zone(text: str) -> str | None:
    """The zone that an IANA name or a city stands for; None when nobody knows."""
    named = text.strip()
    if is_zone(named) and ("/" in named or named == DEFAULT):
        return named
    return _by_folded_name().get(normalised(text)) or _by_city().get(normalised(text))


@cache
def _by_folded_name() -> dict[str, str]:
    return {normalised(name): name for name in sorted(_names()) if "/" in name or name == DEFAULT}


BY_LANGUAGE: dict[Language, str] = {
    "pt": "America/Sao_Paulo",
    "es": "America/Mexico_City",
    "en": DEFAULT,
}


def zone_of_number(digits: str | None, language: Language = "en") -> str:
    """A guess, shown to the person with a way to change it. Of a hidden number only the language
    tells anything."""
    number = digits or ""
    prefixes = (number[:length] for length in (4, 3, 2, 1))
    guess = DEFAULT if number else BY_LANGUAGE[language]
    return next((BY_PREFIX[prefix] for prefix in prefixes if prefix in BY_PREFIX), guess)


def language_of_number(digits: str | None) -> Language:
    number = digits or ""
    if number.startswith(PORTUGUESE):
        return "pt"
    return "es" if number.startswith(SPANISH) else "en"
