"""The fence that a server keeps by itself: every database but pult's own takes no connections.

``ALTER DATABASE … ALLOW_CONNECTIONS false`` is the one setting that holds for every session, a superuser's too, that
no session can set for itself, that survives a restart, and that needs no file on the server. (A default of read-only
transactions each session may overrule; pg_hba.conf is asked before the password comes, so who has begun to log in is
let in later.) It lies in a table, so it reaches the standby as well: that one is opened when it is promoted, and not a
moment sooner.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.adapters.postgres_ha.link import MissingError, RefusedError, Talk, first
from bot.domain.errors import UserError
from bot.domain.phrases import Code
from bot.ports.clock import Clock

CONFIRM: Final = 10.0
"""Seconds for sessions to end once they are told to."""
STUBBORN: Final = 3.0
"""Seconds for sessions that pult may not end to end by themselves."""
EVERY: Final = 0.1
OTHERS: Final = "NOT d.datistemplate AND d.datname <> current_database()"
TABLES: Final = (
    "SELECT pg_advisory_xact_lock(7106)",
    "CREATE SCHEMA IF NOT EXISTS pult",
    "CREATE TABLE IF NOT EXISTS pult.heartbeat "
    "(region text PRIMARY KEY, at timestamptz NOT NULL, timeline integer NOT NULL) WITH (fillfactor = 10)",
    "CREATE TABLE IF NOT EXISTS pult.fence (database text PRIMARY KEY, at timestamptz NOT NULL)",
)
"""Under a lock, since two that create the same at once may both fail; the number is only ours to agree on."""
CLOSE: Final = (
    "SELECT datname, format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', datname) FROM pg_database d "  # noqa: S608 - our own words
    f"WHERE datallowconn AND {OTHERS}"
)
NOTE: Final = "INSERT INTO pult.fence (database, at) VALUES (%s, %s) ON CONFLICT (database) DO NOTHING"
OPEN: Final = (
    "SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS true', datname) FROM pg_database "
    "JOIN pult.fence ON database = datname"
)
STARTING: Final = (
    "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.objid "  # noqa: S608 - our own words
    f"WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND {OTHERS}"
)
"""Sessions that are being set up: each holds a lock on its database from before it reads whether that takes
connections until it stands in pg_stat_activity (InitPostgres in utils/init/postinit.c)."""
SESSIONS: Final = (
    "SELECT a.pid FROM pg_stat_activity a JOIN pg_database d ON d.oid = a.datid "  # noqa: S608 - our own words
    f"WHERE {OTHERS} AND a.backend_type IS DISTINCT FROM 'autovacuum worker'"
)
STANDS: Final = (
    f"SELECT NOT EXISTS (SELECT FROM pg_database d WHERE datallowconn AND {OTHERS}), "  # noqa: S608 - our own words
    "EXISTS (SELECT FROM pult.fence JOIN pg_database ON datname = database)"
)


async def closed(talk: Talk) -> frozenset[str]:
    """What a fence has closed. MissingError: none was ever set."""
    return frozenset(name for (name,) in await talk.rows("SELECT database FROM pult.fence"))


async def shut(talk: Talk) -> bool:
    """Whether the fence is seen to hold: no other database takes connections, and nobody is in one."""
    try:
        none_open, some_closed = first(await talk.rows(STANDS))
    except MissingError:
        return False
    return bool(none_open and some_closed) and not await talk.rows(SESSIONS)


async def prepare(talk: Talk) -> None:
    """pult's own tables, where they are missing."""
    async with talk.whole():
        for statement in TABLES:
            await talk.rows(statement)


async def close(talk: Talk, region: str, at: datetime, clock: Clock) -> None:
    """Close the others, end who is in them, and see it. UserError: that can't be, and why."""
    await _close(talk, region, at)
    starting = await _pids(talk, STARTING)  # whoever begins after this finds the door closed
    held = 0.0
    while (left := starting & await _pids(talk, STARTING)) or (left := await _pids(talk, SESSIONS)):
        refused = [str(pid) for pid in left if not await _ended(talk, pid)]
        if held >= (STUBBORN if refused else CONFIRM):
            why = f"pult may not end process {', '.join(refused)}" if refused else f"{len(left)} still there"
            raise UserError("Sessions in {region} do not end: {why}", region=region, why=Code(why))
        await clock.sleep(EVERY)
        held += EVERY


async def open_again(talk: Talk) -> None:
    """Take the fence away: exactly what it closed."""
    async with talk.whole():
        for (statement,) in await talk.rows(OPEN):
            await talk.rows(statement)
        await talk.rows("DELETE FROM pult.fence")


async def _close(talk: Talk, region: str, at: datetime) -> None:
    try:
        await talk.rows("SELECT FROM pult.fence")
    except MissingError:
        await prepare(talk)
    async with talk.whole():
        for name, statement in await talk.rows(CLOSE):
            await talk.rows(NOTE, name, at)
            await talk.rows(statement)
    if not first(await talk.rows(STANDS))[1]:
        raise UserError(
            "The server in {region} has no database but the one in pult's dsn, which a fence leaves open.",
            region=region,
        )


async def _pids(talk: Talk, statement: str) -> frozenset[int]:
    return frozenset(pid for (pid,) in await talk.rows(statement))


async def _ended(talk: Talk, pid: int) -> bool:
    """Whether it was told to. A superuser's session listens to superusers only."""
    try:
        await talk.rows("SELECT pg_terminate_backend(%s)", pid)
    except RefusedError:
        return False
    return True
