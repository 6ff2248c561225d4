"""Wires the scheduler together. No rules here."""

import asyncio
from functools import partial
from pathlib import Path

import structlog

from common.events import (
    AnswerGraded,
    AnswerRegraded,
    CreateQuestion,
    EditQuestion,
    ExportQuestions,
    GetQuestion,
    HandleReply,
    ImportQuestions,
    ListQuestions,
    MoveQuestion,
    UserChanged,
    UserDeleted,
)
from common.service import Service, running
from common.topology import (
    SCHEDULER_FOLLOW,
    SCHEDULER_QUESTIONS,
    SCHEDULER_REPLIES,
    SCHEDULER_SENT,
)
from scheduler import packs
from scheduler.authoring import Authoring
from scheduler.bank import QuestionBank
from scheduler.errors import QuestionChanged
from scheduler.handlers import (
    correct_grade,
    follow_user,
    forget_user,
    note_sendings,
    record_grade,
)
from scheduler.reading import export_questions, get_question, list_questions
from scheduler.reconciler import Reconciler
from scheduler.replies import handle_reply
from scheduler.settings import Settings
from scheduler.ticker import Ticker

log = structlog.get_logger()


async def main() -> None:
    settings = Settings()
    questions = packs.load(packs.find_content(settings.content, Path.cwd()))
    async with running(settings) as service:
        database = service.use_database("scheduler")
        bank = QuestionBank.of(database)
        ticker = Ticker(database, bank, service.clock)
        reconciler = Reconciler(database, bank, service.clock)
        refusals: list[QuestionChanged] = []
        published = asyncio.Event()

        async def publish_questions() -> None:
            try:
                await bank.publish(questions)
            except QuestionChanged as refusal:
                refusals.append(refusal)
                service.stop()
            published.set()

        async def run_ticker() -> None:
            await published.wait()
            await ticker.run()

        async def follow_bank() -> None:
            await published.wait()
            await bank.follow()

        service.in_background("questions", publish_questions)
        service.in_background("ticker", run_ticker)
        service.in_background("question bank", follow_bank)
        service.in_background("reconciler", reconciler.run)
        service.on_clock_change(ticker.wake)
        register(service, bank)
        await serve_questions(service, bank)
        await service.run()
        if refusals:
            raise refusals[0]


def register(service: Service, bank: QuestionBank) -> None:
    clock = service.clock
    replies = service.consume(SCHEDULER_REPLIES)
    replies.handle(HandleReply, partial(handle_reply, bank=bank, clock=clock))
    follow = service.consume(SCHEDULER_FOLLOW)
    follow.handle(UserChanged, partial(follow_user, clock=clock))
    follow.handle(UserDeleted, partial(forget_user, clock=clock))
    follow.handle(AnswerGraded, partial(record_grade, clock=clock))
    follow.handle(AnswerRegraded, correct_grade)
    service.consume(SCHEDULER_SENT).handle_batches(
        lambda deliveries, tx: note_sendings([each.message for each in deliveries], tx, clock)
    )


async def serve_questions(service: Service, bank: QuestionBank) -> None:
    authoring = Authoring(bank, service.clock)
    writing = service.consume(SCHEDULER_QUESTIONS)
    writing.handle(CreateQuestion, authoring.create)
    writing.handle(EditQuestion, authoring.edit)
    writing.handle(MoveQuestion, authoring.move)
    writing.handle(ImportQuestions, authoring.take_in)
    serve = partial(service.publisher.serve, group="scheduler")
    database, clock = bank.database, service.clock
    await serve(ListQuestions, partial(list_questions, database=database, clock=clock))
    await serve(GetQuestion, partial(get_question, database=database, clock=clock))
    await serve(ExportQuestions, partial(export_questions, database=database))
