"""PostgreSQL: several replicas of pult may share it; they take turns to write, and tell each other what they wrote.

Whoever writes holds one lock for the length of its transaction, in which everything that waited is committed together:
so no two transactions conflict, whatever they touch, and none is run again for it. Under SERIALIZABLE instead, two
replicas that take alerts for one chat would conflict at every commit.
"""

from __future__ import annotations

from typing import Any, Final, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import ExceptionContext

from bot.adapters.sql.answering import ANSWER, Answering
from bot.adapters.sql.database import Database, Trouble
from bot.adapters.sql.schema import REVISION
from bot.adapters.sql.statements import Connection
from bot.adapters.sql.transaction import Statements

DEFAULTS: Final = {
    "application_name": "pult",
    "connect_timeout": "3",
    "target_session_attrs": "read-write",
    "tcp_user_timeout": "5000",
    "keepalives_idle": "3",
    "keepalives_interval": "2",
    "keepalives_count": "2",
}
"""libpq's own parameters, for what the URL leaves open: of several hosts, the one that takes writes. A host that is
gone without a word is noticed within seven seconds, so that the next is tried while a lease of ours may still hold."""
POOL: Final = 8
"""Connections of the journal that stay open, and as many more for a while."""
JOURNAL: Final = 30.0
"""Seconds for an answer to the journal, whose tables DBOS changes itself when it is new."""
SETTINGS: Final = (
    "SELECT set_config('statement_timeout', '5s', false), set_config('lock_timeout', '5s', false), "
    "set_config('idle_in_transaction_session_timeout', '3s', false), "
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
    "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false), "
    f"pg_advisory_lock_shared(7107, {int(REVISION)})"
)
"""A commit that is answered is on the disk, whatever the server's default. A replica that froze, or whose region was
cut off, while it was its turn to write, keeps the others waiting for three seconds: so long they can wait with a
renewal, however late it is, and keep their leases (TTL - MARGIN - RENEW). The lock tells whoever migrates that a build
of this revision is connected; its first number is only ours to agree on."""
TURN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7106)"
"""Begins a transaction that writes, when it is this replica's turn; what is read after the lock is what the one before
committed. The number is only ours to agree on."""
LOCK: Final = (
    "BEGIN",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '60s'",
    "SELECT pg_advisory_xact_lock(7105)",
    "SET LOCAL lock_timeout = '3s'",
    "SELECT pg_advisory_xact_lock(7106)",
)
"""Begins a migration, when it is its turn both to migrate and to write: it would deadlock with a writer that has one of
its tables and wants another. It waits for readers no longer than writers who wait for it are patient."""
BOOKKEEPING: Final = (
    "SELECT name FROM unnest(ARRAY['alembic_version', 'served_builds']) AS name WHERE to_regclass(name) IS NOT NULL"
)

_CONFLICT: Final = frozenset({"40001", "40P01"})
_LOST: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25006"})
"""SQLSTATEs: PostgreSQL manual, appendix A. 25006 is a primary that has become a standby: the connection is thrown
away, and the next one finds the host that takes writes."""
_AWAY: Final = ("53", "55P03", "57014", "58", "XX")
"""Their beginnings."""


def postgres_database(url: str) -> Database:
    dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    return Database(
        name="postgresql",
        engine="postgresql+psycopg://",
        error=psycopg.Error,
        statements=Statements(dialect),
        connect=lambda: connect(url),
        connect_reader=lambda: connect(url),
        connect_migrator=lambda: connect(url, answer=None),
        begin=TURN,
        begin_reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        lock=LOCK,
        bookkeeping=BOOKKEEPING,
        committed=lambda cursor: cast("psycopg.Cursor[Any]", cursor).statusmessage == "COMMIT",
        judge=judge,
        notify="SELECT pg_notify('pult', %s)",
        unused="SELECT pg_try_advisory_xact_lock(7107, {build})",
    )


def parameters(url: str) -> dict[str, Any]:
    """What libpq is to be told for *url*, which may name several hosts."""
    return {**DEFAULTS, **conninfo_to_dict(url.replace("postgresql+psycopg:", "postgresql:", 1))}


def connect(url: str, *, answer: float | None = ANSWER) -> Connection:
    """A new connection, which starts no transactions by itself. *answer*: see ``Answering``."""
    connection = _connected(url, answer, autocommit=True)
    connection.execute(SETTINGS)
    return cast("Connection", connection)


def _connected(url: str, answer: float | None, *, autocommit: bool = False) -> Answering:
    connection = Answering.connect(**parameters(url), autocommit=autocommit)
    connection.answer = answer
    return connection


def engine(url: str) -> Engine:
    """SQLAlchemy's pool over the same hosts. One that can't write any more is thrown away like a broken one."""
    found = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connected(url, JOURNAL),
        pool_size=POOL,
        max_overflow=POOL,
        pool_pre_ping=True,
    )

    @event.listens_for(found, "handle_error")
    def standby(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) in _LOST:
            context.is_disconnect = True

    return found


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
