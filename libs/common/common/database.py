"""One pool a service, on its own schema and role; a transaction carries its outgoing messages."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import psycopg
from sqlalchemy import MetaData, exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from common import outbox
from common.connection import Connection
from common.errors import DependencyUnavailable
from common.events import Message

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

PING = text("SELECT 1")

# Connection loss and shutdown (08, 57P), a full server (53), deadlock and serialisation (40).
TRANSIENT_SQLSTATES = ("08", "57P", "53", "40")


def metadata_for(schema: str) -> MetaData:
    """For a service's declarative base: all its tables are in its own schema."""
    return MetaData(schema=schema, naming_convention=NAMING_CONVENTION)


class Transaction:
    """An open transaction. What is published here leaves if and only if it commits."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._outgoing: list[outbox.Row] = []
        self._followers: list[Callable[[], None]] = []

    def publish(self, message: Message, *, traceparent: str | None = None) -> None:
        """Send `message` after the commit. The trace defaults to the current one."""
        self._outgoing.append(outbox.row_for(message, traceparent))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once this has committed; never, when it does not."""
        self._followers.append(callback)

    @property
    def outgoing(self) -> Sequence[outbox.Row]:
        return self._outgoing

    @property
    def followers(self) -> Sequence[Callable[[], None]]:
        return self._followers


class Database:
    """Use `transaction`; it turns a lost server into DependencyUnavailable."""

    def __init__(self, url: str, schema: str, *, pool_size: int = 10) -> None:
        self.schema = schema
        self.url = url
        self.engine = _engine(url, pool_size)
        self._after_commit: list[Callable[[], None]] = []

    def on_publish(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each commit that left rows in the outbox."""
        self._after_commit.append(callback)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        with _unavailability_named():
            async with self._connection() as connection:
                transaction = Transaction(connection)
                yield transaction
                if transaction.outgoing:
                    await outbox.insert(connection, self.schema, transaction.outgoing)
                await connection.commit()
        for follower in transaction.followers:
            follower()
        if transaction.outgoing:
            for callback in self._after_commit:
                callback()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self.engine.connect() as pooled:
            connection = Connection(pooled)
            try:
                yield connection
            except BaseException:
                connection.abandon()
                raise

    async def ping(self) -> None:
        """Raises DependencyUnavailable when the server does not answer."""
        with _unavailability_named():
            async with self._connection() as connection:
                await connection.execute(PING)
                await connection.commit()

    async def close(self) -> None:
        await self.engine.dispose()


def _engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_use_lifo=True,
        pool_reset_on_return=None,  # `transaction` itself ends what it began
        connect_args={
            "connect_timeout": 5,
            "prepare_threshold": 2,
            "options": "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=10000",
        },
    )


@contextmanager
def _unavailability_named() -> Iterator[None]:
    try:
        yield
    except exc.TimeoutError as error:
        raise DependencyUnavailable("every database connection is in use") from error
    except exc.DBAPIError as error:
        if error.connection_invalidated or _is_transient(error.orig):
            # The message of the driver may quote values, so it is not repeated here.
            raise DependencyUnavailable("PostgreSQL is away") from error
        raise
    except psycopg.Error as error:
        if _is_transient(error):
            raise DependencyUnavailable("PostgreSQL is away") from error
        raise


def _is_transient(error: BaseException | None) -> bool:
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(TRANSIENT_SQLSTATES) or error.sqlstate == "55P03"
