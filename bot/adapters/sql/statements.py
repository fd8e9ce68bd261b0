"""Statements, compiled once per dialect: SQLAlchemy spells them, the driver's own cursor runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final, Protocol, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    Dialect,
    Integer,
    Select,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from bot.adapters.sql.values import reading

Row = tuple[Any, ...]
LIMIT: Final = bindparam("limit", type_=Integer)
Insert = postgresql.Insert
"""Stands for SQLite's too: both have the same ON CONFLICT methods."""


class Cursor(Protocol):
    """What of a DBAPI cursor is used."""

    @property
    def rowcount(self) -> int: ...
    def fetchall(self) -> list[Row]: ...


class Connection(Protocol):
    """What of a driver's connection is used: sqlite3 and psycopg both have ``execute`` on it."""

    def execute(self, sql: str, values: Row, /) -> Cursor: ...
    def close(self) -> None: ...


class Prepared:
    """One statement in one dialect. ``pick`` puts named values into the order of its placeholders."""

    __slots__ = ("pick", "sql")

    def __init__(self, sql: str, names: tuple[str, ...], fixed: Mapping[str, object]) -> None:
        self.sql = sql
        self.pick = _picker(names, fixed)


def _picker(names: tuple[str, ...], fixed: Mapping[str, object]) -> Callable[[Mapping[str, object]], Row]:
    if fixed:
        return lambda values: tuple([values[name] if name in values else fixed[name] for name in names])
    match names:
        case ():
            return lambda _: ()
        case (name,):
            return lambda values: (values[name],)
        case _:
            return itemgetter(*names)


class Speech:
    """A dialect with positional placeholders."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect, self._lite = dialect, dialect.name == "sqlite"

    def prepare(self, statement: ClauseElement) -> Prepared:
        compiled = cast("SQLCompiler", statement.compile(dialect=self._dialect))
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return Prepared(compiled.string, tuple(compiled.positiontup or ()), fixed)

    def insert(self, table: Table) -> Insert:
        """An INSERT that takes an ON CONFLICT clause."""
        return cast("Insert", sqlite.insert(table)) if self._lite else postgresql.insert(table)

    def now(self) -> ColumnElement[int]:
        """Microseconds since 1970 by the database's clock at this moment: in PostgreSQL, now() is the transaction's
        beginning, which may have waited for its turn since."""
        lite = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
        great = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
        return literal_column(lite if self._lite else great, BigInteger)

    def lies(self, table: Table) -> ColumnElement[Any]:
        """Where a row of *table* lies, good within one transaction."""
        return literal_column(f"{table.name}.{'rowid' if self._lite else 'ctid'}")

    def delete(self, table: Table, rows: Select[Any]) -> Delete:
        """Of *table* what lies where *rows* say. PostgreSQL goes straight there for an array only."""
        place = self.lies(table)
        return delete(table).where(
            place.in_(rows) if self._lite else place == func.any(func.array(rows.scalar_subquery()))
        )


class Session:
    """One transaction on one connection. ``touched``: destinations whose cards it changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.touched: set[str] = set()

    def tell(self, sql: str, payload: str) -> None:
        """Run *sql*, which takes one value."""
        self._connection.execute(sql, (payload,))

    def _rows(self, statement: Prepared, **values: object) -> list[Row]:
        return self._connection.execute(statement.sql, statement.pick(values)).fetchall()

    def _row(self, statement: Prepared, **values: object) -> Row | None:
        rows = self._rows(statement, **values)
        return rows[0] if rows else None

    def _doc(self, statement: Prepared, **values: object) -> Any:  # noqa: ANN401 - the caller knows what it stored
        """The document in the one row found, or None."""
        row = self._row(statement, **values)
        return None if row is None else self._read(row[0])

    def _read(self, doc: str) -> Any:  # noqa: ANN401 - the caller knows what it stored
        return reading(doc)

    def _docs(self, statement: Prepared, **values: object) -> tuple[Any, ...]:
        """The documents in all rows found."""
        return tuple([reading(doc) for (doc,) in self._rows(statement, **values)])

    def _do(self, statement: Prepared, **values: object) -> int:
        """How many rows it changed."""
        return self._connection.execute(statement.sql, statement.pick(values)).rowcount
