"""Migrations, run by alembic on our own connection, in one transaction that only one process can be in."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from bot.adapters.sql.database import Database, first_line
from bot.adapters.sql.schema import REVISION
from bot.domain.errors import NotReadyError

SCRIPTS = "bot.adapters.sql:migrations"


def migrate(database: Database) -> None:
    """Bring *database* to the newest revision. NotReadyError: it can't be, and nothing was changed."""
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    engine = create_engine(database.engine, creator=database.connect, poolclass=NullPool)
    try:
        with engine.connect() as connection, connection.begin():
            for statement in database.lock:
                connection.exec_driver_sql(statement)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        why = f"its schema is not known to this build, which needs {REVISION} ({first_line(error)})"
        raise NotReadyError(f"the store was written by a newer pult: {why}. Run that one") from error
    except database.error as error:
        raise NotReadyError(f"the store can't be migrated: {first_line(error)}") from error
    finally:
        engine.dispose()
