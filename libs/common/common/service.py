"""The life of a service process: connect, consume, report health, drain, close, in that order."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from typing import Protocol

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from pydantic import ValidationError
from sqlalchemy import text

from common import inbox, logging, metrics, telemetry
from common.bus.consumer import Processor
from common.bus.publisher import Publisher, connect
from common.bus.puller import Puller
from common.clock import Clock, ShiftedClock, SystemClock
from common.database import Database
from common.errors import DependencyUnavailable
from common.health import Health, ProbeServer
from common.outbox import Relay
from common.settings import ServiceSettings
from common.topology import CLOCK_STREAM, CLOCK_SUBJECT, Consumer

log = structlog.get_logger()

VERSION = "0.1.0"
BEAT = 0.5  # seconds between two signs of life of the event loop
CHECK_TIMEOUT = 2.0  # seconds for a server to answer a readiness check
CANCEL_TRIES = 20
RESTART_PAUSE = 1.0  # seconds before a background loop that failed runs again
PRUNE_EVERY = timedelta(minutes=10)

Job = Callable[[], Awaitable[None]]


class HttpServer(Protocol):
    """uvicorn's server, as far as it is used here."""

    should_exit: bool
    started: bool

    async def serve(self) -> None: ...


class Service:
    """Hand it handlers and background jobs, then `run` it until SIGTERM."""

    def __init__(self, settings: ServiceSettings, publisher: Publisher, health: Health) -> None:
        self.settings = settings
        self.publisher = publisher
        self.health = health
        self.clock: Clock = ShiftedClock() if settings.simulation else SystemClock()
        self.database: Database | None = None
        self._relay: Relay | None = None
        self._processors: list[Processor] = []
        self._pullers: list[Puller] = []
        self._jobs: list[tuple[str, Job]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._clock_listeners: list[Callable[[], None]] = []
        self._stop = asyncio.Event()
        self._is_database_essential = True
        self._http: HttpServer | None = None
        self._expected_revision = _newest_revision(settings.service)

    def use_database(self, schema: str, *, is_essential: bool = True) -> Database:
        """The service's own database, with a relay for its outbox. Closed by the service.

        Without an essential database the service still counts as ready while it is away.
        """
        self._is_database_essential = is_essential
        database = Database(
            self.settings.postgres_url.get_secret_value(),
            schema,
            pool_size=self.settings.database_pool_size,
        )
        self.database = database
        self._relay = Relay(database.url, schema, self.publisher)
        database.on_publish(self._relay.wake)
        self.in_background("outbox", self._relay.run)
        self.in_background("inbox", self._prune_inbox)
        return database

    def consume(self, consumer: Consumer) -> Processor:
        """Register handlers on what this returns, before `run`."""
        assert self.database is not None
        processor = Processor(consumer, self.publisher, self.database, self.clock)
        self._processors.append(processor)
        return processor

    def in_background(self, name: str, job: Job) -> None:
        """Run `job` for as long as the service lives; again after a pause when it fails."""
        self._jobs.append((name, job))

    def serve_http(self, server: HttpServer) -> None:
        """Run `server`; it is the first thing to stop, and it finishes what it has accepted."""
        self._http = server
        self.in_background("http", server.serve)

    def on_clock_change(self, listener: Callable[[], None]) -> None:
        """In simulation, time can jump: whoever sleeps until some time must wake up."""
        self._clock_listeners.append(listener)

    def stop(self) -> None:
        self._stop.set()

    def nats_reconnected(self) -> None:
        for puller in self._pullers:
            puller.forget_request()

    def nats_closed(self) -> None:
        if not self._stop.is_set():
            log.error("nats_closed")
            self._stop.set()

    async def run(self) -> None:
        """Returns after a signal, when everything in hand is finished or handed back."""
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self.stop)
        await self._follow_clock()
        self._tasks = [
            asyncio.create_task(self._keep(name, job), name=name) for name, job in self._jobs
        ]
        self._tasks.append(asyncio.create_task(self._check_readiness()))
        for processor in self._processors:
            await self._start_pullers(processor)
        self._tasks.append(asyncio.create_task(self._tick_pullers()))
        log.info("service_started")
        await self._stop.wait()
        await self._drain()

    async def _start_pullers(self, processor: Processor) -> None:
        consumer = processor.consumer
        slots = 1 if consumer.is_ordered else consumer.slots
        for durable, _ in consumer.durables:
            puller = Puller(
                self.publisher.client,
                consumer.stream,
                durable,
                processor.work,
                slots=slots,
                batch=consumer.batch,
                ack_wait=consumer.ack_wait,
                linger=consumer.linger,
            )
            await puller.start()
            self._pullers.append(puller)

    async def _drain(self) -> None:
        log.info("service_draining")
        self.health.is_draining = True
        await self._stop_http()
        for processor in self._processors:
            processor.is_draining.set()
        grace = self.settings.drain_seconds
        await asyncio.gather(*(puller.drain(grace) for puller in self._pullers))
        if self._relay is not None:
            await self._relay.stop()
        await _end(self._tasks)
        if self.publisher.client.is_connected:
            await self.publisher.client.flush(timeout=2)

    async def _stop_http(self) -> None:
        if self._http is None:
            return
        self._http.should_exit = True
        serving = [task for task in self._tasks if task.get_name() == "http"]
        await asyncio.wait(serving, timeout=self.settings.drain_seconds + 1)

    async def _keep(self, name: str, job: Job) -> None:
        while not self._stop.is_set():
            try:
                await job()
                return
            except DependencyUnavailable as error:
                log.warning("background_job_waits", job=name, error=str(error))
            except Exception as error:  # a loop that ends would stop the service silently
                log.error("background_job_failed", job=name, exc_info=error)
            await asyncio.sleep(RESTART_PAUSE)

    async def _tick_pullers(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for puller in self._pullers:
                try:
                    await puller.tick()
                except NatsError as error:
                    log.warning("puller_tick_failed", error=type(error).__name__)

    async def _check_readiness(self) -> None:
        while True:
            self.health.report(await self._problems())
            await asyncio.sleep(0.2 if self.health.problems else 1.0)

    async def _problems(self) -> tuple[str, ...]:
        problems = []
        if not self.publisher.is_connected:
            problems.append("NATS is away")
        if self._http is not None and not self._http.started:
            problems.append("HTTP is starting")
        if self.database is not None and self._is_database_essential:
            try:
                async with asyncio.timeout(CHECK_TIMEOUT):
                    await self._check_database()
            except TimeoutError:
                problems.append("PostgreSQL is slow")
            except Exception as error:  # whatever it is, the service is not ready
                problems.append(
                    str(error) if isinstance(error, DependencyUnavailable) else "no schema"
                )
        return tuple(problems)

    async def _check_database(self) -> None:
        assert self.database is not None
        if self._expected_revision is None:
            await self.database.ping()
            return
        async with self.database.transaction() as transaction:
            query = text(f"SELECT version_num FROM {self.database.schema}.alembic_version")  # noqa: S608
            found = (await transaction.connection.execute(query)).scalar_one()
        if str(found) < self._expected_revision:
            raise DependencyUnavailable("migrations are missing")
        self._expected_revision = None

    async def _prune_inbox(self) -> None:
        assert self.database is not None
        while True:
            async with self.database.transaction() as transaction:
                schema = self.database.schema
                pruned = await inbox.prune(transaction.connection, schema, self.clock.now())
            if not pruned:
                await asyncio.sleep(PRUNE_EVERY.total_seconds())

    async def _follow_clock(self) -> None:
        if not isinstance(self.clock, ShiftedClock):
            return
        clock = self.clock

        async def adopt(message: Msg) -> None:
            _adopt_offset(clock, message.data)
            for listener in self._clock_listeners:
                listener()

        await self.publisher.client.subscribe(CLOCK_SUBJECT, cb=adopt)
        try:
            last = await self.publisher.jetstream.get_last_msg(CLOCK_STREAM.name, CLOCK_SUBJECT)
        except (NotFoundError, NatsError):
            return
        _adopt_offset(clock, last.data or b"{}")


def _adopt_offset(clock: ShiftedClock, body: bytes) -> None:
    clock.offset = timedelta(seconds=float(json.loads(body).get("offset_seconds", 0)))


def _newest_revision(service: str) -> str | None:
    """Migration files are named by their revision, `0001_what_it_does.py`."""
    try:
        folder = files(service) / "migrations"
        names = [entry.name for entry in folder.iterdir() if entry.name[:4].isdigit()]
    except (ModuleNotFoundError, FileNotFoundError):
        return None
    return max(names)[:4] if names else None


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancelled more than once: `asyncio.wait_for`, which libraries use, may swallow a
    cancellation that meets its result (fixed in Python 3.12)."""
    pending = {task for task in tasks if not task.done()}
    for _ in range(CANCEL_TRIES):
        for task in pending:
            task.cancel()
        if pending:
            _, pending = await asyncio.wait(pending, timeout=0.5)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # looked at: it was logged where it happened


async def _beat(health: Health) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + BEAT
        await asyncio.sleep(BEAT)
        health.beat(loop.time() - due)


@asynccontextmanager
async def running(settings: ServiceSettings) -> AsyncIterator[Service]:
    """A service with its probes up and NATS connected; closes everything on the way out."""
    logging.configure(
        settings.service,
        VERSION,
        level=settings.log_level,
        as_json=settings.log_format == "json",
        colors=settings.log_colors,
    )
    telemetry.configure(settings.service, VERSION)
    metrics.BUILD_INFO.labels(settings.service, VERSION).set(1)
    health = Health()
    probes = ProbeServer(health, settings.probe_host, settings.probe_port)
    beat = asyncio.create_task(_beat(health))
    service: Service | None = None
    try:
        publisher = await connect(
            settings.nats_url,
            settings.service,
            on_reconnect=lambda: service.nats_reconnected() if service else None,
            on_closed=lambda: service.nats_closed() if service else None,
        )
        service = Service(settings, publisher, health)
        yield service
        service.stop()
        await publisher.client.close()
    finally:
        if service is not None and service.database is not None:
            await service.database.close()
        beat.cancel()
        telemetry.shutdown()
        probes.close()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a service's `main` on uvloop until it returns. A wrong setting is one clear line."""
    import uvloop

    async def entry() -> None:
        await main()

    try:
        uvloop.run(entry())
    except ValidationError as error:
        sys.exit("\n".join(_setting_problems(error)))


def _setting_problems(error: ValidationError) -> Iterator[str]:
    """Without the values: they may be secrets."""
    for problem in error.errors(include_input=False, include_context=False):
        name = "_".join(str(part) for part in problem["loc"]).upper()
        yield f"SABATINA_{name}: {problem['msg']}" if name else str(problem["msg"])
