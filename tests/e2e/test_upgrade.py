"""docs/upgrade.md: a store as the first schema had it, with what a real pult wrote, is migrated, and pult goes on."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.adapters.sql.migrate import SCRIPTS
from bot.adapters.sql.opening import database_at
from bot.adapters.sql.schema import REVISION
from tests.department import INCIDENTS, Department, shown, until
from tests.postgres import Server
from tests.promises.alerts import fires, resolves
from tests.pult_fixtures import Make
from tests.pult_process import Pult

FIRST = "0001"
BOTH = pytest.mark.parametrize(
    "store_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@BOTH
@pytest.mark.timeout(200)
async def test_what_the_first_schema_held_is_all_there_in_the_newest(
    request: pytest.FixtureRequest, make: Make, department: Department, store_url: str
) -> None:
    pult = make()
    await pult.start()
    for name in ("First", "Second"):
        assert (await pult.alert(fires(name))).status == 200
    await _stands(department, "Second", "First")
    ident = await pult.proposed("anna", "restart worker")
    await pult.settles()
    assert await pult.stop() == 0
    old = _emptied(store_url, request)
    columns, kept = _moved(store_url, old)
    assert {"groups", "cards", "operations", "audit"} <= {table for table, rows in kept.items() if rows}
    pult.store = old
    pult.configure(store__url=old)
    if old.startswith("postgresql"):
        status, _, err = await pult.run("run")
        assert (status, "run `pult db upgrade`" in err) == (1, True), err
    else:
        _, out, _ = await pult.run("check")
        assert f"store: it has schema {FIRST}; a start of this version brings it to {REVISION}" in out
    assert pult.rows("SELECT version_num FROM alembic_version") == [(FIRST,)], "looking changes nothing"
    status, out, err = await pult.run("db", "upgrade")
    assert (status, out) == (0, "the schema is up to date\n"), err
    assert pult.rows("SELECT version_num FROM alembic_version") == [(REVISION,)]
    assert _rows(old, columns) == kept
    await pult.start()
    assert (await pult.alert(fires("First"))).body["status"] == "duplicate"
    assert (await pult.alert(resolves("First"))).status == 200
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    await _stands(department, "esolved", "First")
    await pult.settles()
    assert len(await _cards(department, "First")) == 1
    assert await pult.audited()


async def test_a_version_that_its_store_does_not_serve_does_not_start(make: Make) -> None:
    pult: Pult = make()
    await pult.start()
    assert await pult.stop() == 0
    engine = _engine(pult.store)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(sa.text("DELETE FROM served_builds"))
    engine.dispose()
    for arguments in (("run",), ("db", "upgrade"), ("db", "status")):
        status, _, err = await pult.run(*arguments)
        assert (status, "the store was written by a newer pult" in err) == (1, True), err
    assert pult.rows("SELECT version_num FROM alembic_version") == [("9999",)]


async def _cards(department: Department, name: str) -> list[str]:
    return [shown(m) for m in await department.slack_messages(INCIDENTS, name) if not m["thread_ts"]]


async def _stands(department: Department, text: str, name: str) -> None:
    async def there() -> bool:
        return any(text in card for card in [*await _cards(department, name), *await _cards(department, text)])

    await until(f"{name} never shows {text}", there)


def _emptied(url: str, request: pytest.FixtureRequest) -> str:
    """The URL of a store beside that at *url*, with the first schema."""
    if url.startswith("postgresql"):
        server: Server = request.getfixturevalue("postgres_server")
        old = server.create(f"{url.rpartition('/')[2]}_old")
    else:
        old = url.replace("pult.db", "old.db")
    database, config = database_at(old), Config()
    config.set_main_option("script_location", SCRIPTS)
    engine = sa.create_engine(database.engine, creator=database.connect, poolclass=sa.pool.NullPool)
    with engine.connect() as connection, connection.begin():
        for statement in database.lock:
            connection.exec_driver_sql(statement)
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
    return old


Columns = dict[str, list[str]]
Rows = dict[str, list[tuple[object, ...]]]


def _moved(new: str, old: str) -> tuple[Columns, Rows]:
    """Copy what the first schema has a place for from *new* to *old*: its columns, and the rows, by table."""
    into, target = sa.MetaData(), _engine(old)
    into.reflect(target)
    columns = {name: list(table.columns.keys()) for name, table in into.tables.items() if name != "alembic_version"}
    found = _rows(new, columns)
    with target.begin() as connection:
        for name, rows in found.items():
            if rows:
                values = [dict(zip(columns[name], row, strict=True)) for row in rows]
                connection.execute(into.tables[name].insert(), values)
    target.dispose()
    return columns, found


def _rows(url: str, columns: Columns) -> Rows:
    engine = _engine(url)
    with engine.connect() as connection:
        found = {
            name: sorted((tuple(row) for row in connection.execute(_select(name, names))), key=repr)
            for name, names in columns.items()
        }
    engine.dispose()
    return found


def _select(table: str, columns: list[str]) -> sa.Select[tuple[object, ...]]:
    return sa.select(*map(sa.column, columns)).select_from(sa.table(table))


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
