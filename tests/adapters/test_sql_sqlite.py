"""What is SQLite's own: its file, its disk, its locks, and the indexes it uses."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.sql import open_store, sqlite, upgrade
from bot.adapters.sql.database import Trouble
from bot.adapters.sql.opening import database_at
from bot.adapters.sql.statements import Prepared
from bot.domain.errors import NotReadyError, UnavailableError
from tests.contracts.samples import event, group


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pult.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


LIMITED = ("SCAN anon_1", "SCAN chosen", "SCAN leases", "SCAN replicas")
"""What a sub-select with a limit has found; a score of leases, a handful of replicas."""
SORTED: dict[str, str] = {
    "chronicle.gathered": "the hundreds of one storm",
    "chronicle.records": "once a week, by a reader",
    "leases.replicas": "a handful",
    "timetable.timers": "those of one kind, by a reader",
}


def test_no_statement_looks_at_a_whole_table_or_sorts(path: Path, url: str) -> None:
    upgrade(url)
    connection = sqlite3.connect(path)
    steps = {
        name: [
            row[3]
            for row in connection.execute(f"EXPLAIN QUERY PLAN {made.sql}", (None,) * made.sql.count("?")).fetchall()
        ]
        for name, made in every_statement(url)
    }
    connection.close()
    slow = {
        name: plan
        for name, plan in steps.items()
        for step in plan
        if (step.startswith("SCAN") and "USING" not in step and step not in LIMITED)
        or ("TEMP B-TREE" in step and name not in SORTED)
    }
    assert slow == {}
    for name in ("due", "unposted", "busy", "backlog"):
        assert "cards_due" in steps[f"cards.{name}"][0]
    assert "cards_unseen" in steps["cards.late_pages"][0]
    assert "cards_held" in steps["cards.next_try"][0]
    assert "groups_open" in steps["facts.open_groups"][0]
    assert "requests_unanswered" in steps["work.take_over"][0]
    assert "operations_live" in steps["work.live_operations"][0]
    assert any("COVERING INDEX cards_recent" in step for step in steps["chronicle.new_alerts"])
    assert "COVERING INDEX timers_ripe" in steps["timetable.ripe_timers"][0]
    forgetting = " ".join(step for name, plan in steps.items() if "forgetting" in name for step in plan)
    for index in ("requests_answered", "groups_closed", "cards_other", "storms_closed"):
        assert f"{index} (" in forgetting


def every_statement(url: str) -> Iterator[tuple[str, Prepared]]:
    """By name; of those that run one after the other, each."""
    for owner, statements in vars(database_at(url).statements).items():
        for name, made in vars(statements).items():
            if isinstance(made, Prepared):
                yield f"{owner}.{name}", made
            else:
                yield from ((f"{owner}.{name}[{at}]", each) for at, each in enumerate(made(100)))


async def test_the_file_is_the_owners_alone_and_commits_reach_the_disk(path: Path, url: str) -> None:
    async with open_store(url) as store:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        pragmas = ("journal_mode", "synchronous", "foreign_keys")

        def look(tx):
            return [tx._connection.execute(f"PRAGMA {name}", ()).fetchall()[0][0] for name in pragmas]

        assert await store.write(look) == ["wal", 2, 1]


async def test_a_disk_that_is_full_refuses_and_recovers(url: str) -> None:
    command = [sys.executable, "-m", "tests.adapters.sql_children", "disk_full", url]
    done = subprocess.run(command, capture_output=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    kept = [line for line in lines if not line.startswith("refused")]
    assert len(kept) < len(lines)
    assert kept[0] == "before"
    assert kept[-1] == "after"
    async with open_store(url) as store:
        cards = await store.read(lambda tx: tx.unposted("slack:C0OPS"))
    assert {card.subject for card in cards} == {f"alert:{name}" for name in kept}


async def test_while_another_process_holds_the_lock_the_store_is_away(
    path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)
    async with open_store(url) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked"):
            await store.write(lambda tx: tx.save_group(group()))
        assert await store.read(lambda tx: tx.group("a-7k2f")) is None
        other.execute("ROLLBACK")
        other.close()
        await store.write(lambda tx: tx.save_group(group()))
        assert await store.read(lambda tx: tx.group("a-7k2f")) == group()


async def test_a_file_that_is_no_database_is_not_opened(path: Path, url: str) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(NotReadyError, match="not a database"):
        async with open_store(url):
            pass


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="nowhere"):
        async with open_store(f"sqlite:///{tmp_path}/nowhere/pult.db"):
            pass


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///", "mysql://x", "pult.db", ""])
async def test_what_can_not_keep_anything_is_refused(url: str) -> None:
    with pytest.raises(NotReadyError, match=r"sqlite:///path or postgresql://"):
        async with open_store(url):
            pass


async def test_a_relative_path_and_reopening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_store("sqlite:///here.db") as store:
        await store.write(lambda tx: tx.put_event(event(key="k")))
    async with open_store("sqlite:///here.db") as store:
        assert not await store.write(lambda tx: tx.put_event(event("e2", key="k")))
    assert (tmp_path / "here.db").exists()


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_FULL, Trouble.AWAY),
        (sqlite3.SQLITE_IOERR_FSYNC, Trouble.AWAY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Trouble.AWAY),
        (sqlite3.SQLITE_READONLY_DBMOVED, Trouble.AWAY),
        (sqlite3.SQLITE_CORRUPT, Trouble.AWAY),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
        (sqlite3.SQLITE_TOOBIG, None),
        (sqlite3.SQLITE_ERROR, None),
    ],
)
def test_result_codes_are_judged(code: int, trouble: Trouble | None) -> None:
    error = sqlite3.OperationalError("…")
    error.sqlite_errorcode = code
    assert sqlite.judge(error) is trouble
    assert sqlite.judge(ValueError()) is None
