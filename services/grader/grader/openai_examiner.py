"""An LLM as examiner, over the API of OpenAI or of any server that speaks it.

The request tells nothing of who wrote the answer. The score is never the model's: it gives
verdicts with quotes, and a quote that is not in the answer counts for nothing.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import ValidationError

from common.events import Language, QuestionSnapshot
from grader import metrics
from grader.circuit import Circuit
from grader.examiners import Examination, ExaminerFailed, ExaminerName, FailureReason
from grader.gates import is_attempt
from grader.openai_reply import SCHEMA, PointsAreIncomplete, Reply, complaint_about, read_reply
from grader.rubric import true_quote, with_evidence
from grader.settings import Effort, Price, Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAIError
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

PROMPT_VERSION = "grade_v1"
_SHORTEST_CONTRADICTION = 3  # words; less is no statement
# Failures of the vendor rather than of one answer: these open the circuit.
_OUTAGES = frozenset(
    {"timeout", "unreachable", "rate_limited", "server_error", "rejected", "invalid"}
)


@dataclass
class Usage:
    """What one examination has used, its repair included."""

    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, kw_only=True)
class OpenAIExaminer:
    client: "AsyncOpenAI"
    model: str
    deadline: timedelta
    effort: Effort | None = None
    price: Price | None = None
    turns: asyncio.Semaphore
    circuit: Circuit = field(default_factory=Circuit)
    name: ExaminerName = "openai"

    @classmethod
    def from_settings(cls, settings: Settings) -> "OpenAIExaminer":
        from openai import AsyncOpenAI

        client = AsyncOpenAI(
            api_key=settings.openai_api_key.get_secret_value(),
            base_url=settings.openai_base_url,
            timeout=settings.grader_timeout.total_seconds(),
            max_retries=settings.grader_max_retries,
        )
        return cls(
            client=client,
            model=settings.grader_model,
            deadline=settings.grader_deadline,
            effort=settings.grader_effort,
            price=settings.grader_prices.get(settings.grader_model),
            turns=asyncio.Semaphore(settings.grader_concurrency),
        )

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        usage = Usage()
        if not is_attempt(question, answer):
            return self._examination(question, answer, None, usage)
        exam = _exam(question, answer, language, level)
        try:
            async with asyncio.timeout(self.deadline.total_seconds()), self.turns:
                reply = await self._examine_in_turn(question, exam, usage)
        except TimeoutError:
            self._count("timeout")
            raise ExaminerFailed("timeout") from None
        return self._examination(question, answer, reply, usage)

    async def _examine_in_turn(self, question: QuestionSnapshot, exam: str, usage: Usage) -> Reply:
        if not self.circuit.lets_through():
            raise ExaminerFailed("circuit_open")
        try:
            reply = await self._ask_twice(question, exam, usage)
        except ExaminerFailed as failure:
            if failure.reason in _OUTAGES:
                self.circuit.failed()
            raise
        self.circuit.succeeded()
        return reply

    async def _ask_twice(self, question: QuestionSnapshot, exam: str, usage: Usage) -> Reply:
        """The second time the model is told what was wrong with its first reply."""
        complaint = ""
        for _ in range(2):
            completion = await self._ask(exam, complaint)
            self._record_usage(completion, usage)
            try:
                reply = read_reply(self._content(completion), question)
            except (ValidationError, PointsAreIncomplete) as error:
                self._count("invalid")
                complaint = complaint_about(error)
            else:
                self._count("ok")
                return reply
        raise ExaminerFailed("invalid")

    async def _ask(self, exam: str, complaint: str) -> "ChatCompletion":
        from openai import OpenAIError, omit

        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": _prompt()}]
        if complaint:
            messages.append({"role": "system", "content": complaint})
        messages.append({"role": "user", "content": exam})
        try:
            return await self.client.chat.completions.create(
                model=self.model,
                messages=messages,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "marking", "strict": True, "schema": SCHEMA},
                },
                reasoning_effort=self.effort if self.effort is not None else omit,
            )
        except OpenAIError as error:
            reason = _reason_of(error)
            self._count(reason)
            # The text of the vendor's error may repeat the request, so it goes no further.
            raise ExaminerFailed(reason) from None
        except ValueError:
            self._count("invalid")
            raise ExaminerFailed("invalid") from None

    def _content(self, completion: "ChatCompletion") -> str:
        choice = completion.choices[0] if completion.choices else None
        reason: FailureReason | None = None
        if choice is None:
            reason = "invalid"
        elif choice.message.refusal:
            reason = "refused"
        elif choice.finish_reason == "length":
            reason = "truncated"
        elif choice.finish_reason == "content_filter":
            reason = "filtered"
        if reason is not None:
            self._count(reason)
            raise ExaminerFailed(reason)
        assert choice is not None
        return choice.message.content or ""

    def _record_usage(self, completion: "ChatCompletion", usage: Usage) -> None:
        if completion.usage is None:
            return
        tokens_in, tokens_out = completion.usage.prompt_tokens, completion.usage.completion_tokens
        usage.tokens_in += tokens_in
        usage.tokens_out += tokens_out
        metrics.LLM_TOKENS.labels(self.model, "in").inc(tokens_in)
        metrics.LLM_TOKENS.labels(self.model, "out").inc(tokens_out)
        if (cost := self._cost(tokens_in, tokens_out)) is not None:
            metrics.LLM_COST.labels(self.model).inc(float(cost))

    def _cost(self, tokens_in: int, tokens_out: int) -> Decimal | None:
        if self.price is None:
            return None
        return (self.price.input * tokens_in + self.price.output * tokens_out) / 1_000_000

    def _examination(
        self, question: QuestionSnapshot, answer: str, reply: Reply | None, usage: Usage
    ) -> Examination:
        marks = with_evidence(question, reply.marks if reply else [], answer)
        has_evidence = any(mark.quote for mark in marks)
        return Examination(
            marks=tuple(marks),
            is_gradable=reply is not None and (reply.gradable or has_evidence),
            next_step=reply.next_step if reply else "",
            contradictions=_true_contradictions(reply.contradictions if reply else (), answer),
            examiner="openai",
            model=self.model,
            prompt_version=PROMPT_VERSION,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost_usd=self._cost(usage.tokens_in, usage.tokens_out),
        )

    def _count(self, outcome: str) -> None:
        metrics.LLM_REQUESTS.labels(self.model, outcome).inc()


def _prompt() -> str:
    return (files("grader") / "prompts" / f"{PROMPT_VERSION}.txt").read_text(encoding="utf-8")


def _exam(question: QuestionSnapshot, answer: str, language: Language, level: int) -> str:
    """A JSON string cannot be left from inside: no text of the answer becomes a field."""
    points = [
        {"id": point.id, "text": point.text, "keywords": point.keywords}
        for point in question.points
    ]
    return json.dumps(
        {
            "fence": secrets.token_hex(8),
            "question": question.text,
            "reference": question.reference,
            "language": language,
            "level": level,
            "points": points,
            "answer": answer,
        },
        ensure_ascii=False,
    )


def _true_contradictions(quotes: Sequence[str], answer: str) -> tuple[str, ...]:
    found = dict.fromkeys(span for quote in quotes if (span := true_quote(answer, quote)))
    return tuple(span for span in found if len(span.split()) >= _SHORTEST_CONTRADICTION)


def _reason_of(error: "OpenAIError") -> FailureReason:
    import openai

    match error:
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return "unreachable"
        case openai.RateLimitError():
            return "rate_limited"
        case openai.APIStatusError() if error.status_code >= 500:
            return "server_error"
        case openai.APIStatusError():
            return "rejected"
        case _:
            return "invalid"
