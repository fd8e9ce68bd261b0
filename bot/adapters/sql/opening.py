"""Opening a store: which database, and whether its schema is the one this build needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.adapters.sql.database import Database, first_line
from bot.adapters.sql.schema import REVISION
from bot.adapters.sql.statements import Connection
from bot.domain.errors import NotReadyError

POSTGRES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")


class _UnreachableError(NotReadyError):
    """The server does not answer; what it holds is not known."""


def prepared_database(url: str, cap: int = 0, *, patient: bool = False) -> Database:
    """The database at *url*, ready for use; SQLite is migrated on the way. NotReadyError otherwise.

    *patient*: a server that does not answer may be away for a while. Its schema is looked at when it does.
    """
    database = database_at(url, cap)
    try:
        found = _revision(database)
    except _UnreachableError:
        if not patient or database.name == "sqlite":
            raise
        return replace(database, connect=_checked(database, database.connect))
    if found != REVISION and database.name == "sqlite":
        upgrade(url)
    elif found != REVISION:
        raise NotReadyError(_otherwise(found))
    return database


def _checked(database: Database, connect: Callable[[], Connection]) -> Callable[[], Connection]:
    """*connect*, which lets nobody write before the schema was found to be this build's."""
    known: list[str] = []

    def checked() -> Connection:
        if not known:
            found = _revision(database)
            if found != REVISION:
                raise NotReadyError(_otherwise(found))
            known.append(found)
        return connect()

    return checked


def _otherwise(found: str) -> str:
    have = f"schema {found}" if found else "no schema"
    return f"the store has {have}, this build needs {REVISION}: run `pult db upgrade`"


def upgrade(url: str) -> None:
    """Bring the schema at *url* to this build's. Nothing is done, and alembic not even loaded, when it is there."""
    database = database_at(url)
    if _revision(database) == REVISION:
        return
    from bot.adapters.sql.migrate import migrate  # noqa: PLC0415 - half of a start's time, seldom needed

    migrate(database)


def database_at(url: str, cap: int = 0) -> Database:
    """Only the driver that is needed is loaded. NotReadyError for a URL of neither database."""
    if url.startswith("sqlite:///") and not url.endswith(("///", ":memory:")):
        from bot.adapters.sql.sqlite import sqlite_database  # noqa: PLC0415

        return sqlite_database(url, cap)
    if url.startswith(POSTGRES):
        from bot.adapters.sql.postgres import postgres_database  # noqa: PLC0415

        return postgres_database(url)
    raise NotReadyError("[store] url must be sqlite:///path or postgresql://user@host/database")


def _revision(database: Database) -> str:
    """The schema's revision, empty where there is none."""
    try:
        connection = database.connect()
        try:
            if not connection.execute(database.has_revision, ()).fetchall():
                return ""
            rows = connection.execute("SELECT version_num FROM alembic_version", ()).fetchall()
        finally:
            connection.close()
    except (database.error, OSError) as error:
        raise _UnreachableError(f"the store can't be opened: {first_line(error)}; check [store] url") from error
    return str(rows[0][0]) if rows else ""
