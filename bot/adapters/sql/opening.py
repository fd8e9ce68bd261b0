"""Opening a store: which database, and whether its schema is the one this build needs."""

from __future__ import annotations

from typing import Final

from bot.adapters.sql.database import Database, first_line
from bot.adapters.sql.schema import REVISION
from bot.domain.errors import NotReadyError

POSTGRES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")


def prepared_database(url: str) -> Database:
    """The database at *url*, ready for use; SQLite is migrated on the way. NotReadyError otherwise."""
    database = database_at(url)
    found = _revision(database)
    if found != REVISION and database.name == "sqlite":
        upgrade(url)
    elif found != REVISION:
        have = f"schema {found}" if found else "no schema"
        raise NotReadyError(f"the store has {have}, this build needs {REVISION}: run `pult db upgrade`")
    return database


def upgrade(url: str) -> None:
    """Bring the schema at *url* to this build's. Nothing is done, and alembic not even loaded, when it is there."""
    database = database_at(url)
    if _revision(database) == REVISION:
        return
    from bot.adapters.sql.migrate import migrate  # noqa: PLC0415 - half of a start's time, seldom needed

    migrate(database)


def database_at(url: str) -> Database:
    """Only the driver that is needed is loaded. NotReadyError for a URL of neither database."""
    if url.startswith("sqlite:///") and not url.endswith(("///", ":memory:")):
        from bot.adapters.sql.sqlite import sqlite_database  # noqa: PLC0415

        return sqlite_database(url)
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
        raise NotReadyError(f"the store can't be opened: {first_line(error)}; check [store] url") from error
    return str(rows[0][0]) if rows else ""
