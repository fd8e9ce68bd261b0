"""Migrations, run by alembic on our own connection, in one transaction that only one process can be in."""

from __future__ import annotations

from threading import Event
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bot.adapters.sql.database import Database, first_line
from bot.adapters.sql.serving import SERVED, Found, read, remedy
from bot.domain.errors import NotReadyError

SCRIPTS: Final = "bot.adapters.sql:migrations"
TRIES: Final = 20
PAUSE: Final = 1.0
"""Seconds between two tries."""
IN_THE_WAY: Final = frozenset({"40P01", "55P03"})
"""A deadlock, and a lock that did not come in time: PostgreSQL manual, appendix A."""


def migrate(database: Database, scripts: str = SCRIPTS) -> None:
    """Bring *database* to the newest of *scripts*. NotReadyError: it can't be, and nothing was changed.

    Replicas go on beside it. Where one is in the way, or somebody who copies the store, it steps back and tries again:
    everybody who came after a migration that waits for a table would wait, too.
    """
    config = Config()
    config.set_main_option("script_location", scripts)
    engine = create_engine(database.engine, creator=database.connect_migrator, poolclass=NullPool)
    try:
        for tried in range(1, TRIES + 1):
            if _migrated(database, engine, config, last=tried == TRIES):
                return
            Event().wait(PAUSE)
    except DBAPIError as error:
        raise NotReadyError(f"the store can't be migrated: {first_line(error.orig or error)}") from error
    finally:
        engine.dispose()


def _migrated(database: Database, engine: Engine, config: Config, *, last: bool) -> bool:
    """False, unless it is the last try: somebody was in the way, and nothing was changed."""
    try:
        with engine.connect() as connection, connection.begin():
            for statement in database.lock:
                connection.exec_driver_sql(statement)
            config.attributes["connection"] = connection
            _migrate(database, connection, config)
    except DBAPIError as error:
        if last or getattr(error.orig, "sqlstate", "") not in IN_THE_WAY:
            raise
        return False
    return True


def served(scripts: ScriptDirectory) -> tuple[str, ...]:
    """The revisions whose builds the newest schema serves, the oldest first: no migration may have left them behind."""
    chain = [*scripts.walk_revisions()]
    since = max(each.module.compatible_from for each in chain)
    return tuple(sorted(each.revision for each in chain if each.revision >= since))


def _migrate(database: Database, connection: Connection, config: Config) -> None:
    scripts = ScriptDirectory.from_config(config)
    head, known = scripts.get_current_head(), {each.revision for each in scripts.walk_revisions()}
    found = read(database, lambda sql: [tuple(row) for row in connection.exec_driver_sql(sql)])
    if head is None or found.serves(head):  # somebody else was here first
        return
    if found.revision and found.revision not in known:
        raise NotReadyError(remedy(found))
    after = served(scripts)
    _leave_nobody_behind(database, connection, found, after)
    command.upgrade(config, "head")
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {SERVED} (revision TEXT PRIMARY KEY)")
    connection.exec_driver_sql(f"DELETE FROM {SERVED}")  # noqa: S608
    for revision in after:
        connection.exec_driver_sql(f"INSERT INTO {SERVED} VALUES ('{revision}')")  # noqa: S608


def _leave_nobody_behind(database: Database, connection: Connection, found: Found, after: tuple[str, ...]) -> None:
    """Nothing that runs now may find a schema that does not serve it. Who comes from now on waits, and looks then."""
    for build in sorted({found.revision, *found.served} - {"", *after}) if database.unused else ():
        if not connection.exec_driver_sql(database.unused.format(build=int(build))).scalar_one():
            raise NotReadyError(
                f"the store can't be migrated: builds of schema {build} are running, which the new one would not "
                "serve. Stop them, or upgrade by way of a version in between: docs/upgrade.md"
            )
