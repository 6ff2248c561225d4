"""The fixed words of the feedback, in each language."""

from common.events import Language, Value


class Phrases(Value):
    nothing_good: str
    nothing_missing: str
    partly: str
    bonus: str
    contradicted: str
    next_steps: tuple[str, str, str]
    """For level 1, 2 and 3; each holds {point}."""
    next_steps_when_complete: tuple[str, str, str]


PHRASES: dict[Language, Phrases] = {
    "pt": Phrases(
        nothing_good="- Nenhum ponto da lista ainda, mas você tentou.",
        nothing_missing="- Nada importante ficou de fora.",
        partly="em parte",
        bonus="bônus",
        contradicted="Isto não se sustenta",
        next_steps=(
            "Releia esta ideia e explique-a com as suas palavras: {point}",
            "Monte um exemplo curto que mostre isto: {point}",
            "Compare prós, contras e casos-limite disto: {point}",
        ),
        next_steps_when_complete=(
            "Explique a mesma ideia em voz alta, em um minuto, sem ler.",
            "Escreva um exemplo curto de código que mostre o que você respondeu.",
            "Pense em um caso de produção em que a sua resposta deixaria de valer.",
        ),
    ),
    "en": Phrases(
        nothing_good="- No point of the checklist yet, but you tried.",
        nothing_missing="- Nothing important was left out.",
        partly="in part",
        bonus="bonus",
        contradicted="This does not hold",
        next_steps=(
            "Read up on this idea and put it in your own words: {point}",
            "Build a short example that shows this: {point}",
            "Weigh the trade-offs and edge cases of this: {point}",
        ),
        next_steps_when_complete=(
            "Explain the same idea aloud in one minute, without reading.",
            "Write a short piece of code that shows what you answered.",
            "Think of a case in production where your answer would no longer hold.",
        ),
    ),
    "es": Phrases(
        nothing_good="- Ningún punto de la lista todavía, pero lo intentaste.",
        nothing_missing="- No faltó nada importante.",
        partly="en parte",
        bonus="extra",
        contradicted="Esto no se sostiene",
        next_steps=(
            "Repasa esta idea y explícala con tus palabras: {point}",
            "Arma un ejemplo corto que muestre esto: {point}",
            "Compara ventajas, costos y casos límite de esto: {point}",
        ),
        next_steps_when_complete=(
            "Explica la misma idea en voz alta, en un minuto, sin leer.",
            "Escribe un ejemplo corto de código que muestre lo que respondiste.",
            "Piensa en un caso de producción en el que tu respuesta dejaría de valer.",
        ),
    ),
}
