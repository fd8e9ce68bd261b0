"""Migrations: they lead to the schema the statements are written for, once, whoever comes first."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot.adapters.sql import upgrade
from bot.adapters.sql.migrate import SCRIPTS
from bot.adapters.sql.schema import REVISION, metadata
from bot.adapters.sql.serving import SERVED, VERSION
from tests.postgres import Server

KEPT = (VERSION, SERVED)
"""What whoever migrates keeps for itself."""


def test_the_build_needs_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_the_migrated_schema_is_the_written_one_on_sqlite(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/migrated.db")
    metadata.create_all(create_engine(f"sqlite:///{tmp_path}/made.db"))
    assert _described(tmp_path / "migrated.db") == _described(tmp_path / "made.db")


@pytest.mark.postgres
def test_the_migrated_schema_is_the_written_one_on_postgresql(postgres_server: Server) -> None:
    made = postgres_server.create("made").replace("postgresql:", "postgresql+psycopg:")
    upgrade(postgres_server.create("migrated"))
    engine = create_engine(made)
    metadata.create_all(engine)
    engine.dispose()
    indexes = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename NOT IN {KEPT} ORDER BY 1"
    assert postgres_server.sql(indexes, "migrated") == postgres_server.sql(indexes, "made")
    engine = create_engine(made.replace("/made", "/migrated"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": lambda name, *_: name not in KEPT})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.postgres
def test_whoever_comes_second_finds_it_done(postgres_server: Server, tmp_path: Path) -> None:
    for url in (postgres_server.create("raced"), f"sqlite:///{tmp_path}/raced.db"):
        with ThreadPoolExecutor(3) as pool:
            assert {found.revision for found in pool.map(upgrade, [url] * 3)} == {REVISION}
        upgrade(url)


def test_alembic_is_not_loaded_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pult.db"
    upgrade(url)
    code = f"import sys; from bot.adapters.sql import upgrade; upgrade({url!r}); sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=50, check=False).returncode == 0


def _described(path: Path) -> dict[str, str]:
    """Every table and index of a SQLite file, its SQL without white space and without quotes."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: "".join(sql.split()).replace('"', "") for name, sql in rows if name not in KEPT}
