"""PostgreSQL: several replicas of pult may share it; SERIALIZABLE transactions, run again when they conflict."""

from __future__ import annotations

from typing import Any, Final, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from bot.adapters.sql.database import Database, Trouble
from bot.adapters.sql.statements import Connection
from bot.adapters.sql.transaction import Statements

DEFAULTS: Final = {
    "application_name": "pult",
    "connect_timeout": "5",
    "target_session_attrs": "read-write",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
}
"""libpq's own parameters, for what the URL leaves open: of several hosts, the one that takes writes."""
SETTINGS: Final = (
    "SELECT set_config('statement_timeout', '5s', false), set_config('lock_timeout', '5s', false), "
    "set_config('idle_in_transaction_session_timeout', '30s', false), "
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
    "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)"
)
"""A commit that is answered is on the disk, whatever the server's default."""
LOCK: Final = (
    "BEGIN",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '60s'",
    "SELECT pg_advisory_xact_lock(7105)",
)
"""Begins a migration; the number is only ours to agree on."""

_CONFLICT: Final = frozenset({"40001", "40P01"})
_LOST: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
_AWAY: Final = ("53", "55P03", "57014", "25006", "58", "XX")
"""Beginnings of SQLSTATEs: PostgreSQL manual, appendix A. 25006 is a primary that has become a standby."""


def postgres_database(url: str) -> Database:
    dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    return Database(
        name="postgresql",
        engine="postgresql+psycopg://",
        error=psycopg.Error,
        statements=Statements(dialect),
        connect=lambda: connect(url),
        connect_reader=lambda: connect(url),
        begin="BEGIN ISOLATION LEVEL SERIALIZABLE",
        begin_reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        lock=LOCK,
        has_revision="SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL",
        committed=lambda cursor: cast("psycopg.Cursor[Any]", cursor).statusmessage == "COMMIT",
        judge=judge,
    )


def connect(url: str) -> Connection:
    """A new connection, which starts no transactions by itself."""
    parameters: dict[str, Any] = {**DEFAULTS, **conninfo_to_dict(url.replace("postgresql+psycopg:", "postgresql:", 1))}
    connection = psycopg.connect(**parameters, autocommit=True)
    connection.execute(SETTINGS)
    return cast("Connection", connection)


def judge(error: BaseException) -> Trouble | None:
    """By SQLSTATE; an operational error without one means that the connection broke."""
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:
        return Trouble.LOST if isinstance(error, psycopg.OperationalError) else None
    if state in _CONFLICT:
        return Trouble.CONFLICT
    if state == "23505":
        return Trouble.CLASH
    if state in _LOST or state.startswith("08"):
        return Trouble.LOST
    return Trouble.AWAY if state.startswith(_AWAY) else None
