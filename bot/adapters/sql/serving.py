"""Which builds a store serves: those of its schema's revision, and older ones whose statements still work on it.

So a replica of the version before may start again in the middle of a rolling update, and a version that migrated is
taken back like any other. Each migration says from which revision on builds may still run (``compatible_from``); what
follows is written into the store itself, since an older build can't read migrations that came after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bot.adapters.sql.database import Database
from bot.adapters.sql.schema import REVISION
from bot.adapters.sql.statements import Connection, Row

VERSION: Final = "alembic_version"
SERVED: Final = "served_builds"
"""Beside Alembic's table, and like it no part of the schema: kept by whoever migrates, made by the first to do so."""
Run = Callable[[str], Iterable[Row]]


@dataclass(frozen=True)
class Found:
    """A store's revision, empty where it has no schema, and the revisions whose builds it serves, the oldest first."""

    revision: str
    served: tuple[str, ...] = ()

    def serves(self, build: str = REVISION) -> bool:
        """Whether a build of that revision may run on it."""
        return build == self.revision or build in self.served

    @property
    def newer(self) -> bool:
        """Whether its revision came after this build's. Revisions are numbers of four digits."""
        return self.revision > REVISION

    def __str__(self) -> str:
        if not self.revision:
            return "no schema"
        since = self.served[0] if self.served else self.revision
        return f"schema {self.revision}, which serves builds of schema {since}" + (
            " and later" if since != self.revision else " only"
        )


def remedy(found: Found) -> str:
    """What to do about a store that does not serve this build."""
    if found.newer:
        why = f"it has {found}, and this build's is {REVISION}"
        return f"the store was written by a newer pult: {why}. Run that one; docs/upgrade.md says how to go back"
    have = f"schema {found.revision}" if found.revision else "no schema"
    return f"the store has {have}, this build needs {REVISION}: run `pult db upgrade`"


def look(database: Database, connection: Connection) -> Found:
    """What the store holds as of one moment, however long somebody else migrates. Raises the driver's errors."""
    connection.execute(database.begin_reading, ())
    try:
        return read(database, lambda sql: connection.execute(sql, ()).fetchall())
    finally:
        connection.execute("ROLLBACK", ())


def read(database: Database, run: Run) -> Found:
    """As :func:`look`, in the transaction that *run* is in."""
    names = {name for (name,) in run(database.bookkeeping)}
    revisions = [str(name) for (name,) in run(f"SELECT version_num FROM {VERSION}")] if VERSION in names else []  # noqa: S608
    served = [str(name) for (name,) in run(f"SELECT revision FROM {SERVED}")] if SERVED in names else []  # noqa: S608
    return Found("".join(revisions[:1]), tuple(sorted(served)))
