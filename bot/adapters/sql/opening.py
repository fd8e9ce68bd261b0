"""Opening a store: which database, and whether its schema serves this build."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from bot.adapters.sql.database import Database, first_line
from bot.adapters.sql.serving import Found, look, remedy
from bot.adapters.sql.statements import Connection
from bot.domain.errors import NotReadyError

SQLITE: Final = "sqlite:///"
POSTGRES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")


class _UnreachableError(NotReadyError):
    """The server does not answer; what it holds is not known."""


def prepared_database(url: str, cap: int = 0, *, patient: bool = False) -> Database:
    """The database at *url*, ready for use; SQLite is migrated on the way. NotReadyError otherwise.

    *patient*: a server that does not answer may be away for a while. Its schema is looked at when it does.
    """
    database = database_at(url, cap)
    lite = database.name == "sqlite"
    try:
        found = found_in(database)
    except _UnreachableError:
        if not patient or lite:
            raise
    else:
        if not found.serves() and lite:
            upgrade(url)
        elif not found.serves():
            raise NotReadyError(remedy(found))
    if lite:  # whose file nobody else uses
        return database
    connect, connect_reader = _served(database, database.connect), _served(database, database.connect_reader)
    return replace(database, connect=connect, connect_reader=connect_reader)


def _served(database: Database, connect: Callable[[], Connection]) -> Callable[[], Connection]:
    """*connect*, but for what somebody migrated further than this build can follow while it was cut off."""

    def checked() -> Connection:
        connection = connect()
        with ExitStack() as stack:
            stack.callback(connection.close)
            found = look(database, connection)
            if not found.serves():
                raise NotReadyError(remedy(found))
            stack.pop_all()
        return connection

    return checked


def upgrade(url: str) -> Found:
    """Bring the schema at *url* to this build's; what is there then, which may be a newer one that serves this build.

    Nothing is done, and alembic not even loaded, where it serves this build already. NotReadyError: it can't be.
    """
    database = database_at(url)
    found = found_in(database)
    if found.serves():
        return found
    from bot.adapters.sql.migrate import migrate  # noqa: PLC0415 - half of a start's time, seldom needed

    migrate(database)
    return found_in(database)


def status(url: str) -> Found:
    """What the store at *url* holds, without changing anything. NotReadyError: it can't be opened."""
    if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists():
        return Found("")
    return found_in(database_at(url))


def database_at(url: str, cap: int = 0) -> Database:
    """Only the driver that is needed is loaded. NotReadyError for a URL of neither database."""
    if url.startswith(SQLITE) and not url.endswith(("///", ":memory:")):
        from bot.adapters.sql.sqlite import sqlite_database  # noqa: PLC0415

        return sqlite_database(url, cap)
    if url.startswith(POSTGRES):
        from bot.adapters.sql.postgres import postgres_database  # noqa: PLC0415

        return postgres_database(url)
    raise NotReadyError("[store] url must be sqlite:///path or postgresql://user@host/database")


def found_in(database: Database) -> Found:
    """What *database* holds. NotReadyError: it can't be opened."""
    try:
        connection = database.connect()
        try:
            return look(database, connection)
        finally:
            connection.close()
    except (database.error, OSError) as error:
        raise _UnreachableError(f"the store can't be opened: {first_line(error)}; check [store] url") from error
