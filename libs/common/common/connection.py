"""What runs a transaction's statements: text straight through psycopg, the rest by SQLAlchemy.

For a statement of text SQLAlchemy costs two to three times what psycopg does (240 us beside 105),
and most of what services do for a message is a few such statements (`docs/adr/0012`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVarTuple, overload

import psycopg
from sqlalchemy import Executable, TextClause
from sqlalchemy.dialects.postgresql import psycopg as dialects
from sqlalchemy.engine import IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import TypedReturnsRows

Columns = TypeVarTuple("Columns")
Parameters = Mapping[str, Any]

_DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]
_compiled: dict[TextClause, str] = {}
_columns: dict[tuple[str, ...], SimpleResultMetaData] = {}


class Rows(IteratorResult[*tuple[Any, ...]]):
    """A result as SQLAlchemy's, with the number of rows that a statement touched."""

    def __init__(self, columns: tuple[str, ...], rows: Iterator[Any], rowcount: int) -> None:
        known = _columns.get(columns)
        if known is None:
            known = _columns[columns] = SimpleResultMetaData(columns)
        super().__init__(known, rows)
        self.rowcount = rowcount


class Connection:
    """Of one transaction. Both ways share it: what one has written, the other sees.

    A failure of text is an error of psycopg, any other one of SQLAlchemy.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        driver = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
        assert isinstance(driver, psycopg.AsyncConnection)
        self._driver: psycopg.AsyncConnection[Any] = driver

    @overload
    async def execute(
        self, statement: TextClause, parameters: Parameters | None = None
    ) -> Rows: ...

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], parameters: Parameters | None = None
    ) -> Result[*Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> Result[*tuple[Any, ...]]: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> Any:
        if isinstance(statement, TextClause):
            return await self._execute_text(statement, parameters)
        return await self._connection.execute(statement, parameters)

    async def _execute_text(self, statement: TextClause, parameters: Parameters | None) -> Rows:
        cursor = await self._driver.execute(_text_of(statement), parameters or {})
        if cursor.description is None:
            return Rows((), iter(()), cursor.rowcount)
        rows = await cursor.fetchall()
        return Rows(tuple(column.name for column in cursor.description), iter(rows), len(rows))

    async def commit(self) -> None:
        if self._connection.in_transaction():
            await self._connection.commit()
        else:
            await self._driver.commit()

    def abandon(self) -> None:
        """Has SQLAlchemy roll back, with all its care for lost servers, when it closes: what ran
        beside it has begun a transaction that it does not know of."""
        connection = self._connection.sync_connection
        if connection is not None and not connection.in_transaction():
            connection.begin()


def _text_of(statement: TextClause) -> str:
    """Statements are made once and live for ever, so all of them are remembered."""
    known = _compiled.get(statement)
    if known is None:
        known = _compiled[statement] = str(statement.compile(dialect=_DIALECT))
    return known
