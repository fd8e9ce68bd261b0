"""SQLite: one file, one writer, readers on snapshots beside it (WAL)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event
from typing import Final, cast

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from bot.adapters.sql.database import Database, Trouble
from bot.adapters.sql.statements import Connection
from bot.adapters.sql.transaction import Statements

SCHEME: Final = "sqlite:///"
BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another process that holds the write lock."""
WAL_TRIES: Final = 50
WAL_PAUSE: Final = 0.1
"""SQLite does not wait by itself for the lock that a new file's change to WAL needs: two first starts may meet."""
PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -8192",
    "PRAGMA journal_size_limit = 67108864",
)
"""FULL: a commit is on the disk before it is answered. A checkpoint at 4000 pages (16 MB) instead of 1000 keeps intake
as fast on a store with a million alerts (measured). The cache is in KiB, the limit in bytes. There is no auto_vacuum:
pages that forgetting frees are what new rows are written to, so the file stays as large as the most that was ever kept
in it, and no writer pays for moving pages to its end."""
PAGE: Final = 4096
"""Bytes: SQLite's own page size."""
_AWAY: Final = frozenset({
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_PERM, sqlite3.SQLITE_INTERRUPT,
})  # fmt: skip


def path_of(url: str) -> Path:
    """The file a ``sqlite:///path`` names; a fourth slash makes it absolute."""
    return Path(url.removeprefix(SCHEME))


def sqlite_database(url: str, cap: int = 0) -> Database:
    path = path_of(url)
    return Database(
        name="sqlite",
        engine="sqlite://",
        error=sqlite3.Error,
        statements=Statements(SQLiteDialect_pysqlite()),
        connect=lambda: connect(path, cap),
        connect_reader=lambda: _connect_reader(path),
        connect_migrator=lambda: connect(path, cap),
        begin="BEGIN IMMEDIATE",
        begin_reading="BEGIN",
        lock=("BEGIN IMMEDIATE",),
        bookkeeping="SELECT name FROM sqlite_master WHERE name IN ('alembic_version', 'served_builds')",
        committed=lambda _: True,
        judge=judge,
    )


def connect(path: Path, cap: int = 0) -> Connection:
    """A new connection; the file is made for its owner only, and grows to *cap* bytes. The driver starts no
    transactions by itself."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    _write_ahead(connection)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if cap:
        connection.execute(f"PRAGMA max_page_count = {max(1, cap // PAGE)}")
    return cast("Connection", connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    for tried in range(1, WAL_TRIES + 1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or tried == WAL_TRIES:
                connection.close()
                raise
            Event().wait(WAL_PAUSE)


def _connect_reader(path: Path) -> Connection:
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON", ())
    return connection


def judge(error: BaseException) -> Trouble | None:
    """By SQLite's primary result code: the low byte of the extended one."""
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _AWAY:
        return Trouble.AWAY
    return None
