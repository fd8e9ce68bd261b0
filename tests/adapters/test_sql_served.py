"""Which builds a store serves: what they ask is asked of the newest schema, and of one that is still to come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from bot.adapters.sql import migrate as migrating
from bot.adapters.sql import open_store, status, upgrade
from bot.adapters.sql.migrate import SCRIPTS, migrate, served
from bot.adapters.sql.opening import database_at, found_in
from bot.adapters.sql.schema import REVISION
from bot.adapters.sql.serving import Found
from bot.domain.errors import NotReadyError, UnavailableError
from tests.contracts.samples import event
from tests.expanded import AFTER, CONTRACTS, EXPANDS, HEAD, NEXT, brought_further, scripts
from tests.migrated import sqlite_store
from tests.postgres import Server
from tests.recording import FOLDER, again, statements, unreadable, vocabulary

UNSERVED = "0004"
"""Up to here no build looked whether it may run on a newer schema, and each refused it."""
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
Json = dict[str, Any]


def directory(place: str) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", place)
    return ScriptDirectory.from_config(config)


SERVED = served(directory(SCRIPTS))


def recorded(revision: str) -> Json:
    return json.loads((FOLDER / f"{revision}.json").read_text())


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store on this build's schema."""
    if request.param == "sqlite":
        return sqlite_store(tmp_path)
    server: Server = request.getfixturevalue("postgres_server")
    return server.migrated("served")


def asked(url: str, revision: str) -> Iterator[tuple[str, object, object]]:
    """What builds of *revision* ask: each statement, what it found then, and what now."""
    database = database_at(url)
    with closing(database.connect()) as connection:
        for step in recorded(revision)[database.name]:
            yield step["sql"], step["found"], again(connection, step)


# Every migration, and every build that it says it serves.


def complaints(place: str) -> Iterator[str]:
    """A build is taken back by one version, and stands beside the next one during an update."""
    chain = [*directory(place).walk_revisions()]
    known = {each.revision for each in chain}
    for each in chain:
        since = each.module.compatible_from
        if not (len(each.revision) == 4 and each.revision.isdecimal() and since in known):
            yield f"{each.revision}: four digits, and a revision that there is"
        elif (each.down_revision or "") >= each.revision:
            yield f"{each.revision} comes before {each.down_revision}"
        elif each.revision > UNSERVED and since > str(each.down_revision):
            yield f"{each.revision} leaves {each.down_revision} behind: expand first, contract one version later"


def test_every_migration_serves_the_build_before_it(tmp_path: Path) -> None:
    assert [*complaints(SCRIPTS)] == []
    alone = HEAD.format(revision=NEXT, down=REVISION, since=NEXT) + "    op.drop_column('groups', 'words')\n"
    assert [*complaints(scripts(tmp_path, alone))] == [
        f"{NEXT} leaves {REVISION} behind: expand first, contract one version later"
    ]


def test_every_build_that_is_served_is_recorded() -> None:
    """``make recording`` writes this build's; those of earlier revisions stay as they are."""
    assert REVISION in SERVED
    assert [each for each in SERVED if not (FOLDER / f"{each}.json").exists()] == []


@pytest.mark.parametrize("made", ["sqlite:////nowhere/pult.db", "postgresql://nobody@127.0.0.1/pult"])
def test_everything_that_this_build_asks_is_recorded(made: str) -> None:
    asks = {step["sql"] for step in recorded(REVISION)[database_at(made).name]}
    assert {name: each.sql for name, each in statements(made) if each.sql not in asks} == {}, (
        "play it in tests/contracts/scenes.py, then make recording"
    )


@pytest.mark.parametrize("revision", SERVED)
def test_what_they_ask_finds_what_it_found(url: str, revision: str) -> None:
    assert [sql for sql, then, now in asked(url, revision) if then != now] == []


def test_what_they_ask_finds_it_on_a_schema_to_come(url: str) -> None:
    brought_further(url, EXPANDS)
    assert [sql for sql, then, now in asked(url, REVISION) if then != now] == []


@pytest.mark.parametrize(
    "careless",
    [
        '    op.create_index("once", "cards", ["destination"], unique=True)\n',
        '    op.drop_table("marks")\n'
        '    kept = [sa.Column(name, sa.Text, nullable=False) for name in ("doc", "kind")]\n'
        '    op.create_table("marks", sa.Column("name", sa.Text, primary_key=True), *kept)\n',
        '    op.drop_column("groups", "words")\n',
        '    op.rename_table("marks", "notes")\n',
    ],
)
def test_what_a_careless_migration_breaks_is_seen(url: str, careless: str) -> None:
    brought_further(url, HEAD.format(revision=NEXT, down=REVISION, since=REVISION) + careless)
    with suppress(database_at(url).error):
        assert [sql for sql, then, now in asked(url, REVISION) if then != now] != []


# Documents.


def test_the_documents_of_this_build_are_recorded() -> None:
    assert recorded(REVISION)["documents"] == vocabulary(), "make recording"


@pytest.mark.parametrize("revision", SERVED)
def test_they_can_read_what_this_build_writes(revision: str) -> None:
    assert unreadable(recorded(revision)["documents"], vocabulary()) == [], (
        "let it be read one version before it is written: tests/recording.py, READ_ONLY"
    )


def test_what_they_could_not_read_is_seen() -> None:
    def field(holds: list[str], default: str | None) -> Json:
        return {"Group": {"fields": {"key": [holds, default]}}, "State": {"values": ["open"]}}

    old = field(["str"], None)
    assert unreadable(old, old) == []
    assert unreadable(old, {**old, "Plot": {"fields": {}}}) == [], "nothing that they read holds one"
    later = {"Group": {"fields": {"key": [["str"], None], "plot": [["Plot"], "null"]}}, "State": {"values": ["open"]}}
    assert unreadable(old, later) == [], "a field that they don't know is passed over"
    assert unreadable(old, field(["Plot", "str"], None)) == ["Group.key Plot"]
    assert unreadable(old, field(["Plot", "str"], None), frozenset({"Group.key Plot"})) == []
    assert unreadable(old, field(["str"], '""')) == ['Group.key is left out where it is ""']
    assert unreadable(field(["str"], '"a"'), field(["str"], '"b"')) == ['Group.key is left out where it is "b"']
    assert unreadable(field(["str"], '"a"'), field(["str"], None)) == []
    gone = {"Group": {"fields": {}}, "State": {"values": ["closed", "open"]}}
    assert unreadable(old, gone) == ["Group.key is gone", "State closed"]
    assert unreadable(field(["str"], '"a"'), {**gone, "State": {"values": []}}) == []


# Starting on a schema to come.


async def test_a_build_runs_on_a_later_schema_that_serves_it(url: str) -> None:
    brought_further(url, EXPANDS)
    expected = Found(NEXT, (REVISION, NEXT))
    for found in (upgrade(url), status(url)):
        assert (found, found.serves(), found.newer) == (expected, True, True)
    migrate(database_at(url))  # as one that waited for its turn while the later version migrated
    async with open_store(url) as store:
        assert await store.write(lambda tx: tx.put_event(event("e1", key="k")))
        assert await store.schema() == expected
    assert status(url) == expected


async def test_a_build_refuses_a_later_schema_that_left_it_behind(url: str) -> None:
    brought_further(url, EXPANDS, CONTRACTS)
    assert str(status(url)) == f"schema {AFTER}, which serves builds of schema {NEXT} and later"
    for attempt in (upgrade, lambda at: migrate(database_at(at))):
        with pytest.raises(NotReadyError, match=f"newer pult: .* serves builds of schema {NEXT} and later"):
            attempt(url)
    with pytest.raises(NotReadyError, match=r"docs/upgrade\.md says how to go back"):
        async with open_store(url):
            pass
    assert status(url) == Found(AFTER, (NEXT, AFTER))


def test_an_older_store_is_brought_to_what_this_build_needs(url: str) -> None:
    database = database_at(url)
    with closing(database.connect()) as connection:
        connection.execute("DROP TABLE served_builds", ())  # as builds before it left it
    assert upgrade(url) == Found(REVISION), "nothing to do, hence nothing done"
    brought_further(url, EXPANDS)
    assert status(url) == Found(NEXT, (REVISION, NEXT))


def test_looking_at_a_store_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert str(status(f"sqlite:///{tmp_path}/pult.db")) == "no schema"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.postgres
@pytest.mark.parametrize("further", [(EXPANDS,), (EXPANDS, CONTRACTS)], ids=["serves", "left behind"])
async def test_one_that_started_while_the_server_was_away_looks_when_it_is_back(
    postgres_server: Server, further: tuple[str, ...]
) -> None:
    url = brought_further(postgres_server.migrated("away"), *further)
    async with AsyncExitStack() as started:
        postgres_server.shut()
        try:
            store = await started.enter_async_context(open_store(url, patient=True))
        finally:
            postgres_server.start()
        if further == (EXPANDS,):
            await store.ping()
        else:
            with pytest.raises(UnavailableError, match="newer pult"):
                await store.ping()


# Migrating beside replicas that run.


@pytest.mark.postgres
async def test_nobody_who_runs_is_left_behind(postgres_server: Server) -> None:
    url = postgres_server.migrated("beside")
    async with open_store(url) as store:
        await store.ping()
        with pytest.raises(NotReadyError, match=f"builds of schema {REVISION} are running"):
            brought_further(url, EXPANDS, CONTRACTS)
        assert status(url).revision == REVISION
        brought_further(url, EXPANDS)
        await store.ping()
    brought_further(url, EXPANDS, CONTRACTS)
    assert status(url).revision == AFTER


@pytest.mark.postgres
async def test_who_was_cut_off_and_left_behind_writes_nothing_any_more(postgres_server: Server) -> None:
    url = postgres_server.migrated("cut_off")
    async with open_store(url) as store:
        await store.ping()
        postgres_server.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'cut_off'")
        brought_further(url, EXPANDS, CONTRACTS)
        for attempt in (store.ping, lambda: store.read(lambda tx: tx.busy())):
            with pytest.raises(UnavailableError, match="newer pult"):
                await attempt()


@pytest.mark.postgres
def test_who_is_in_the_way_is_waited_for_and_holds_up_nobody(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pg_dump keeps a table for minutes; a migration that queued for it would keep everybody after it waiting."""
    url = postgres_server.migrated("in_the_way")
    stepped_back = threading.Event()

    class Pause:
        def wait(self, _: float) -> None:
            stepped_back.set()

    monkeypatch.setattr(migrating, "Event", Pause)
    database = database_at(url)
    monkeypatch.setattr(migrating, "TRIES", 1000)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(url) as dump, closing(database.connect()) as other:
        dump.execute("SELECT count(*) FROM events")
        other.execute("SET lock_timeout = '60s'", ())
        migration = pool.submit(brought_further, url, EXPANDS)
        assert stepped_back.wait(30)
        assert other.execute("SELECT count(*) FROM events", ()).fetchall() == [(0,)]
        assert found_in(database).revision == REVISION
        dump.rollback()
        migration.result(30)
    assert status(url).revision == NEXT


@pytest.mark.postgres
def test_a_migration_that_never_gets_its_turn_changes_nothing(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.migrated("no_turn")
    monkeypatch.setattr(migrating, "TRIES", 1)
    with psycopg.connect(url) as dump:
        dump.execute("SELECT count(*) FROM events")
        with pytest.raises(NotReadyError, match="can't be migrated: canceling statement due to lock timeout"):
            brought_further(url, EXPANDS)
    assert status(url).revision == REVISION
