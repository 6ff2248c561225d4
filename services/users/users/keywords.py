"""The words that are commands, in all three languages at once, and how a text is compared."""

import unicodedata

from common.events import Language

COMPARED_LENGTH = 4_096
"""WhatsApp's own limit of a text; nothing longer is a command."""

HARD_STOPS = frozenset(
    {
        *("stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "remove me"),
        *("stop messages", "parar", "pare", "para", "sair", "descadastrar", "parar tudo"),
        *("parar mensagens", "nao quero mais", "me remova", "me tira", "baja", "dar de baja"),
        *("darme de baja", "alto", "detener", "detener mensajes", "salir", "desuscribir"),
        "no quiero mas",
    }
)

AMBIGUOUS_STOPS = frozenset(
    {
        *("end", "quit", "cancel", "remove", "fim", "cancelar", "remover", "fin", "terminar"),
    }
)
"""Also honest answers to a question about code: with a question open, the person is asked."""

STARTS = frozenset(
    {
        *("start", "unstop", "resume", "subscribe", "comecar", "iniciar", "voltar", "retomar"),
        *("quero voltar", "empezar", "comenzar", "volver", "reanudar", "alta"),
    }
)

HELPS = frozenset({"help", "ajuda", "ayuda"})
MENUS = frozenset({"menu", "ver menu", "ver o menu", "ver el menu", "see the menu"})
QUESTIONS_NOW = frozenset(
    {
        *("question now", "pergunta agora", "pregunta ahora", "next question"),
        *("proxima pergunta", "siguiente pregunta", "quero agora", "quiero ahora"),
        *("yes now", "yes, now", "another question", "one more question", "give me another one"),
        *("give me another question", "i want another one", "i want another question"),
        *("outra pergunta", "mais uma pergunta", "quero outra", "quero outra pergunta"),
        *("quero mais uma", "manda outra", "otra pregunta", "una pregunta mas", "quiero otra"),
        *("quiero otra pregunta", "quiero una mas", "dame otra", "dame otra pregunta"),
    }
)
HINTS = frozenset(
    {
        *("hint", "hint please", "a hint please", "i need a hint", "give me a hint"),
        *("another hint", "can i have a hint", "dica", "uma dica"),
        *(
            "outra dica",
            "me da uma dica",
            "quero uma dica",
            "preciso de uma dica",
            "dica por favor",
        ),
        *("pista", "una pista", "otra pista", "dame una pista", "quiero una pista"),
        *("necesito una pista", "pista por favor", "dica por favor"),
    }
)
SKIPS = frozenset(
    {
        *("skip", "skip it", "skip this", "skip this one", "skip question", "skip this question"),
        *("pular", "pula", "pula essa", "pular essa", "pular pergunta", "pular a pergunta"),
        *("saltar", "salta", "saltala", "saltar pregunta", "saltar la pregunta"),
    }
)
DONT_KNOWS = frozenset({"i dont know", "dont know", "idk", "nao sei", "no se", "no lo se"})
MODEL_ANSWERS = frozenset(
    {
        *("model answer", "show me the answer", "tell me the answer", "just tell me the answer"),
        *("resposta modelo", "mostra a resposta", "me mostra a resposta", "me diz a resposta"),
        *("qual e a resposta", "respuesta modelo", "muestrame la respuesta", "dime la respuesta"),
        "cual es la respuesta",
    }
)
DISPUTES = frozenset(
    {
        *("discordo", "discordo da nota", "revisar nota", "revisar a nota", "disagree"),
        *("i disagree", "dispute", "no estoy de acuerdo", "revisar la nota"),
        *("this score is unfair", "that score is unfair", "the score is unfair", "unfair score"),
        *("this score is wrong", "that score is wrong", "the score is wrong", "my score is wrong"),
        *("nota injusta", "a nota e injusta", "essa nota e injusta", "a nota foi injusta"),
        *("nota errada", "a nota esta errada", "essa nota esta errada", "discordo dessa nota"),
        *("la nota es injusta", "esa nota es injusta", "la nota me parece injusta"),
        *("la nota esta mal", "esa nota esta mal", "nota equivocada"),
    }
)
TRACKS = frozenset({"tracks", "courses", "areas", "cursos", "trilhas", "rutas"})
LEVELS = frozenset({"level", "nivel", "my level", "meu nivel", "mi nivel"})
SCHEDULES = frozenset({"schedule", "horario"})
LANGUAGES = frozenset({"language", "idioma"})
ZONE_CHANGES = frozenset({"change time zone", "mudar fuso horario", "cambiar zona horaria"})

REPEATS = frozenset(
    {
        *("repeat", "repeat the question", "repeat question", "show the question", "repetir"),
        *("repete", "repita", "repetir pergunta", "repetir a pergunta", "repete a pergunta"),
        *("repita a pergunta", "ver a pergunta", "repite", "repetir pregunta", "ver la pregunta"),
        *("repetir la pregunta", "repite la pregunta", "repita la pregunta"),
    }
)
"""Only while there is a question that can be shown again."""

IDLE_HELPS = frozenset({"info"})
IDLE_MENUS = frozenset({"0", "home", "inicio", "hi", "hello", "oi", "ola", "hola"}) | STARTS
IDLE_QUESTIONS_NOW = frozenset({"question", "next", "pergunta", "proxima", "pregunta", "siguiente"})
IDLE_SCHEDULES = frozenset({"time", "hora", "zone", "fuso", "zona"})
"""The IDLE words may be answers: they are commands only while no question is open."""

LANGUAGE_NAMES: dict[str, Language] = {
    **dict.fromkeys(("portugues", "portuguese", "pt"), "pt"),
    **dict.fromkeys(("english", "ingles", "en"), "en"),
    **dict.fromkeys(("espanol", "spanish", "castellano", "es"), "es"),
}

YES = frozenset(
    {
        *("yes", "y", "yes i agree", "i agree", "agree", "ok", "sim", "sim aceito", "aceito"),
        *("sim, aceito", "yes, i agree", "si, acepto", "si", "si acepto", "acepto", "s"),
    }
)
NO = frozenset(
    {
        *("no", "n", "no thanks", "no, thanks", "nao", "nao obrigado", "nao, obrigado"),
        *("nao obrigada", "nao, obrigada", "no gracias", "no, gracias"),
    }
)
MORE = frozenset({"more", "tell me more", "mais", "saber mais", "mas", "saber mas"})
CONFIRMS = YES | STARTS | {"confirm", "confirmar", "confirmo"}
NOT_ME = frozenset({"not me", "nao fui eu", "no fui yo"})

HINT_WORDS: dict[Language, frozenset[str]] = {
    "pt": frozenset({"oi", "ola", "bom", "dia", "boa", "tarde", "noite", "quero", "voce", "nao"}),
    "es": frozenset({"hola", "buenos", "buenas", "dias", "tardes", "noches", "quiero", "gracias"}),
    "en": frozenset({"hi", "hello", "hey", "good", "morning", "want", "the", "please", "thanks"}),
}


def normalised(text: str) -> str:
    """How a text is compared: no accents, no case, nothing but words at either end.

    Marks between words stay: "no, quiero mas" is the opposite of "no quiero mas". A call such as
    `stop()` stays what it is: code, not a command.
    """
    raw = unicodedata.normalize("NFKD", text[:COMPARED_LENGTH]).casefold()
    if "()" in raw or "`" in raw:
        return raw.strip()
    kept = (c for c in raw if unicodedata.category(c) not in {"Mn", "Me", "Cf"} and c != "'")
    words = "".join(" " if c in "-‐‑–_" or c.isspace() else c for c in kept if c != "’")
    return " ".join(_trimmed(words).split())


def _trimmed(words: str) -> str:
    start, end = 0, len(words)
    while start < end and not words[start].isalnum():
        start += 1
    while end > start and not words[end - 1].isalnum():
        end -= 1
    return words[start:end]


def language_of_words(text: str) -> Language | None:
    """The language that a greeting gives away; None when it does not."""
    words = {word.strip(".,!?¡¿") for word in normalised(text).split()}
    scores: dict[Language, int] = {
        language: len(words & known) for language, known in HINT_WORDS.items()
    }
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] and list(scores.values()).count(scores[best]) == 1 else None
