"""Questions in three languages, and what people answer to them."""

from datetime import UTC, datetime
from uuid import uuid4

from common.events import (
    Anchor,
    GradeAnswer,
    InboundRef,
    Language,
    Misconception,
    QuestionSnapshot,
    RubricPoint,
)
from common.ids import AnswerId, AssignmentId, UserId, new_id

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

TEXTS: dict[Language, str] = {
    "pt": "Qual a diferença entre uma pilha e uma fila?",
    "en": "What is the difference between a stack and a queue?",
    "es": "¿Cuál es la diferencia entre una pila y una cola?",
}
REFERENCES: dict[Language, str] = {
    "pt": (
        "Na pilha o último elemento que entra é o primeiro a sair (LIFO). Na fila, o primeiro que"
        " entra é o primeiro a sair (FIFO). Uso pilha para desfazer ações e fila para tarefas."
    ),
    "en": (
        "In a stack the last element in is the first one out (LIFO). In a queue the first element"
        " in is the first one out (FIFO). I use a stack to undo actions and a queue for jobs."
    ),
    "es": (
        "En la pila el último elemento que entra es el primero en salir (LIFO). En la cola, el"
        " primero que entra es el primero en salir (FIFO). Uso pila para deshacer y cola para"
        " tareas."
    ),
}
POINTS: dict[Language, tuple[RubricPoint, ...]] = {
    "pt": (
        RubricPoint(
            id="lifo",
            text="Na pilha, o último elemento que entra é o primeiro a sair.",
            keywords=("LIFO", "último a entrar", "último elemento"),
            weight=3,
        ),
        RubricPoint(
            id="fifo",
            text="Na fila, o primeiro elemento que entra é o primeiro a sair.",
            keywords=("FIFO", "primeiro a entrar", "primeiro que entra"),
            weight=3,
        ),
        RubricPoint(
            id="use",
            text="Pilha serve para desfazer ações; fila, para tarefas em ordem.",
            keywords=("desfazer", "tarefas"),
            required=False,
        ),
    ),
    "en": (
        RubricPoint(
            id="lifo",
            text="In a stack the last element in is the first out.",
            keywords=("LIFO", "last in", "last element"),
            weight=3,
        ),
        RubricPoint(
            id="fifo",
            text="In a queue the first element in is the first out.",
            keywords=("FIFO", "first in", "first element"),
            weight=3,
        ),
        RubricPoint(
            id="use",
            text="A stack serves to undo actions; a queue serves jobs in order.",
            keywords=("undo", "jobs"),
            required=False,
        ),
    ),
    "es": (
        RubricPoint(
            id="lifo",
            text="En la pila, el último elemento que entra es el primero en salir.",
            keywords=("LIFO", "último en entrar", "último elemento"),
            weight=3,
        ),
        RubricPoint(
            id="fifo",
            text="En la cola, el primer elemento que entra es el primero en salir.",
            keywords=("FIFO", "primero en entrar", "primero que entra"),
            weight=3,
        ),
        RubricPoint(
            id="use",
            text="La pila sirve para deshacer acciones; la cola, para tareas en orden.",
            keywords=("deshacer", "tareas"),
            required=False,
        ),
    ),
}
HALF = "A stack is LIFO: the last element pushed is what you pop before the rest."


def question(language: Language = "en") -> QuestionSnapshot:
    return QuestionSnapshot(
        question_id="stack-vs-queue",
        version=1,
        track="dsa",
        level=1,
        topic="stacks",
        language=language,
        text=TEXTS[language],
        points=POINTS[language],
        reference=REFERENCES[language],
    )


BELIEFS: dict[Language, Misconception] = {
    "pt": Misconception(
        id="swapped",
        text="A fila entregaria primeiro o mais novo.",
        phrases=("fila entrega o mais novo",),
        cap=4,
    ),
    "en": Misconception(
        id="swapped",
        text="A queue would hand out the newest first.",
        phrases=("queue hands out the newest",),
        cap=4,
    ),
    "es": Misconception(
        id="swapped",
        text="La cola entregaría primero lo más nuevo.",
        phrases=("cola entrega lo más nuevo",),
        cap=4,
    ),
}
ANCHORS: dict[Language, tuple[Anchor, ...]] = {
    "pt": (Anchor(score=3, text="Pilha e fila guardam coisas."),),
    "en": (Anchor(score=3, text="Stacks and queues keep things."),),
    "es": (Anchor(score=3, text="Pilas y colas guardan cosas."),),
}


def rich_question(language: Language = "en") -> QuestionSnapshot:
    """With a misconception, an anchor, and the other languages."""

    def said(spoken: Language) -> QuestionSnapshot:
        extras = {"misconceptions": (BELIEFS[spoken],), "anchors": ANCHORS[spoken]}
        return question(spoken).model_copy(update=extras)

    others: tuple[Language, ...] = ("pt", "en", "es")
    translations = tuple(said(other) for other in others if other != language)
    return said(language).model_copy(update={"translations": translations})


def submission(text: str = HALF, *, language: Language = "en") -> GradeAnswer:
    return GradeAnswer(
        message_id=new_id(),
        occurred_at=NOW,
        user_id=UserId(uuid4()),
        answer_id=AnswerId(uuid4()),
        assignment_id=AssignmentId(uuid4()),
        question=question(language),
        text=text,
        language=language,
        level=2,
        streak=5,
        submitted_at=NOW,
        inbound=InboundRef(provider_id="wamid.1", at=NOW),
    )
