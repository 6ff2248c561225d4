"""An LLM as examiner, over the API of OpenAI or of any server that speaks it.

The request tells nothing of who wrote the answer. The score is never the model's: it gives
verdicts with quotes, and a quote that is not in the answer counts for nothing.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import ValidationError

from common.events import Language, QuestionSnapshot
from grader import metrics
from grader.chat_api import ChatApi
from grader.circuit import Circuit
from grader.evidence import count_evidence, stated, true_statements
from grader.exam import PROMPT_VERSION, instructions, write_exam
from grader.examiners import Examination, ExaminerFailed, ExaminerName, FailureReason, Usage
from grader.gates import is_attempt
from grader.languages import as_answered
from grader.model_api import Dialect, ModelApi, Said, reason_of
from grader.openai_reply import PointsAreIncomplete, Reply, complaint_about, read_reply
from grader.responses_api import ResponsesApi
from grader.rubric import with_evidence
from grader.settings import Price, Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

# Failures of the vendor rather than of one answer: these open the circuit.
OUTAGES = frozenset(
    {"timeout", "unreachable", "rate_limited", "server_error", "rejected", "invalid"}
)


@dataclass(frozen=True, kw_only=True)
class OpenAIExaminer:
    client: "AsyncOpenAI"
    api: ModelApi
    model: str
    deadline: timedelta
    dialect: Dialect
    price: Price | None = None
    turns: asyncio.Semaphore
    circuit: Circuit = field(default_factory=Circuit)
    name: ExaminerName = "openai"

    @classmethod
    def from_settings(cls, settings: Settings, model: str = "") -> "OpenAIExaminer":
        """`model` is another one than the settings name first."""
        from openai import AsyncOpenAI

        client = AsyncOpenAI(
            api_key=settings.openai_api_key.get_secret_value(),
            base_url=settings.openai_base_url,
            timeout=settings.grader_timeout.total_seconds(),
            max_retries=settings.grader_max_retries,
        )
        model = model or settings.grader_model
        api = ResponsesApi if settings.uses_responses else ChatApi
        return cls(
            client=client,
            api=api(client, model),
            model=model,
            deadline=settings.grader_deadline,
            dialect=Dialect(settings.grader_effort or None),
            price=settings.grader_prices.get(model),
            turns=asyncio.Semaphore(settings.grader_concurrency),
        )

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        usage = Usage()
        if not is_attempt(as_answered(question, answer), answer):
            return self._examination(question, answer, None, usage)
        exam = write_exam(question, answer, language, level)
        try:
            async with asyncio.timeout(self.deadline.total_seconds()), self.turns:
                reply = await self._examine_in_turn(question, exam, usage)
        except TimeoutError:
            self._count("timeout")
            if usage.requests:  # not when all turns were taken: that is our own doing
                self.circuit.failed()
            raise _failed("timeout", usage) from None
        except ExaminerFailed as failure:
            failure.used = usage
            raise
        return self._examination(question, answer, reply, usage)

    async def _examine_in_turn(self, question: QuestionSnapshot, exam: str, usage: Usage) -> Reply:
        if not self.circuit.lets_through():
            raise ExaminerFailed("circuit_open")
        try:
            reply = await self._ask_twice(question, exam, usage)
        except ExaminerFailed as failure:
            if failure.reason in OUTAGES:
                self.circuit.failed()
            raise
        self.circuit.succeeded()
        return reply

    async def _ask_twice(self, question: QuestionSnapshot, exam: str, usage: Usage) -> Reply:
        """The second time the model is told what was wrong with its first reply."""
        complaint = ""
        for _ in range(2):
            said = await self._ask(exam, complaint, usage)
            self._record_usage(said, usage)
            if said.problem is not None:
                self._count(said.problem)
                raise ExaminerFailed(said.problem)
            try:
                reply = read_reply(said.content, question)
            except (ValidationError, PointsAreIncomplete) as error:
                self._count("invalid")
                complaint = complaint_about(error)
            else:
                self._count("ok")
                return reply
        raise ExaminerFailed("invalid")

    async def _ask(self, exam: str, complaint: str, usage: Usage) -> Said:
        """Once more when the server takes less than it was sent, which is remembered."""
        from openai import APIStatusError, OpenAIError

        while True:
            told = instructions(has_schemas=self.dialect.has_schemas, complaint=complaint)
            usage.requests += 1
            try:
                return await self.api.ask(told, exam, self.dialect)
            except OpenAIError as error:
                if isinstance(error, APIStatusError) and self.dialect.is_narrower_after(error):
                    self._count("narrowed")
                    continue
                reason = reason_of(error)
                self._count(reason)
                # The text of the vendor's error may repeat the request, so it goes no further.
                raise ExaminerFailed(reason) from None
            except (ValueError, AttributeError, TypeError):
                # The SDK does not check what it parses: fields may be missing or of another kind.
                self._count("invalid")
                raise ExaminerFailed("invalid") from None

    def _record_usage(self, said: Said, usage: Usage) -> None:
        usage.tokens_in += said.tokens_in
        usage.tokens_out += said.tokens_out
        metrics.LLM_TOKENS.labels(self.model, "in").inc(said.tokens_in)
        metrics.LLM_TOKENS.labels(self.model, "out").inc(said.tokens_out)
        if (cost := self._cost(said.tokens_in, said.tokens_out)) is not None:
            metrics.LLM_COST.labels(self.model).inc(float(cost))

    def _cost(self, tokens_in: int, tokens_out: int) -> Decimal | None:
        return None if self.price is None else self.price.of(tokens_in, tokens_out)

    def _examination(
        self, question: QuestionSnapshot, answer: str, reply: Reply | None, usage: Usage
    ) -> Examination:
        said = reply or Reply(points=())
        marks = with_evidence(question, said.marks, answer)
        claimed, true = count_evidence(question, said.marks, answer)
        beliefs = stated(question.misconceptions, said.stated_beliefs, answer)
        wrong = [*(span for _, span in beliefs), *said.contradictions]
        has_evidence = any(mark.quote for mark in marks)
        return Examination(
            marks=tuple(marks),
            is_gradable=reply is not None and (reply.gradable or has_evidence),
            next_step=said.next_step,
            contradictions=true_statements(wrong, answer),
            cap=min((belief.cap for belief, _ in beliefs), default=None),
            examiner="openai",
            model=self.model,
            prompt_version=PROMPT_VERSION,
            claimed_quotes=claimed,
            true_quotes=true,
            requests=usage.requests,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost_usd=self._cost(usage.tokens_in, usage.tokens_out),
        )

    def _count(self, outcome: str) -> None:
        metrics.LLM_REQUESTS.labels(self.model, outcome).inc()


def _failed(reason: FailureReason, usage: Usage) -> ExaminerFailed:
    failure = ExaminerFailed(reason)
    failure.used = usage
    return failure
