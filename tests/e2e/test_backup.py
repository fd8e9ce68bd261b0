"""docs/backup.md: a store backed up under load, lost, and restored. pult goes on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.adapters.sql.backup import backup
from bot.domain.errors import UserError
from tests.department import INCIDENTS, Department, shown, until
from tests.postgres import Server
from tests.promises.alerts import fires, resolves
from tests.pult_fixtures import Make
from tests.pult_process import Pult

BEFORE, DURING, AFTER = range(10), range(10, 30), range(30, 35)
RESOLVED = range(5)
"""Few: Slack allows a workspace fifty edits a minute, whatever the simulated rates."""
Deed = Callable[[], Awaitable[None]]


def name(number: int) -> str:
    return f"Alert{number:03d}"


@pytest.mark.timeout(300)
async def test_sqlite_is_backed_up_under_load_and_restored(make: Make, department: Department, tmp_path: Path) -> None:
    pult = make()
    folder = tmp_path / "backup"

    async def back_up() -> None:
        status, out, err = await pult.run("db", "backup", str(folder))
        assert status == 0, err
        assert [line.partition(":")[0] for line in out.splitlines()] == [
            str(folder / "pult.db"),
            str(folder / "pult.flows.db"),
        ]

    async def restore() -> None:
        for left in tmp_path.glob("pult*.db*"):
            left.unlink()
        for copy in folder.iterdir():
            shutil.copy(copy, tmp_path)

    await _survives(pult, department, back_up, restore)
    assert {oct(copy.stat().st_mode & 0o777) for copy in folder.iterdir()} == {"0o600"}


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.timeout(300)
async def test_postgresql_is_dumped_under_load_and_restored(
    make: Make, department: Department, postgres_server: Server, store_url: str
) -> None:
    pult, database = make(), store_url.rpartition("/")[2]
    dump = postgres_server.data.parent / f"{database}.dump"

    async def back_up() -> None:
        command = ("pg_dump", "--format=custom", f"--file={dump}", store_url)
        await asyncio.to_thread(postgres_server.run, *command)

    async def restore() -> None:
        empty = postgres_server.create(database)
        command = ("pg_restore", "--exit-on-error", f"--dbname={empty}", dump)
        await asyncio.to_thread(postgres_server.run, *command)

    await _survives(pult, department, back_up, restore)


async def _survives(pult: Pult, department: Department, back_up: Deed, restore: Deed) -> None:
    """Backed up while it takes alerts and an operation runs; lost after it took more; restored, and told all again as
    Alertmanager does."""
    await pult.start()
    await _sends(pult, BEFORE)
    ident = await pult.proposed("anna", "restart worker")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    async with asyncio.TaskGroup() as group:
        group.create_task(_sends(pult, DURING))
        group.create_task(back_up())
    await _sends(pult, AFTER)
    await _stand(department, [*BEFORE, *DURING, *AFTER])
    await pult.becomes(ident, "succeeded")
    template = department.deployment("worker")["spec"]["template"]
    await pult.kill()
    await restore()
    docs = "".join(str(row[0]) for row in pult.rows("SELECT doc FROM groups"))
    saved = {number for number in (*BEFORE, *DURING, *AFTER) if name(number) in docs}
    assert {*BEFORE} <= saved <= {*BEFORE, *DURING}
    await pult.start()
    await _ends(pult, ident)
    assert department.deployment("worker")["spec"]["template"] == template, "restarted twice"
    await _sends(pult, [*BEFORE, *DURING, *AFTER])
    await _stand(department, [*BEFORE, *DURING, *AFTER])
    await pult.settles()
    counts = await _counts(department)
    assert {number: counts[number] for number in saved} == dict.fromkeys(saved, 1)
    assert all(1 <= counts[number] <= 2 for number in {*DURING, *AFTER} - saved)
    for number in RESOLVED:
        assert (await pult.insist(lambda number=number: pult.alert(resolves(name(number))))).status == 200
    await pult.settles()
    assert {number: await _resolved(department, number) for number in RESOLVED} == dict.fromkeys(RESOLVED, True)
    assert any(ident in str(entry) for entry in await pult.audited())


async def _ends(pult: Pult, ident: str) -> None:
    """The operation goes on from where the backup has it. When that is before its first step, the plan is compared
    with the world again, in which it was carried out already: nothing is done."""

    async def over() -> str:
        state = await pult.state(ident)
        return state if state in {"succeeded", "failed"} else ""

    if await until(f"{ident} does not end", over) == "failed":
        assert "Nothing was changed" in (await pult.ask("anna", f"op {ident}", locale="en"))["text"]


async def _sends(pult: Pult, numbers: range | list[int]) -> None:
    for number in numbers:
        await pult.insist(lambda number=number: pult.alert(fires(name(number))))


async def _stand(department: Department, numbers: list[int]) -> None:
    async def all_of_them() -> bool:
        counts = await _counts(department)
        return all(counts.get(number) for number in numbers)

    await until("alerts are missing", all_of_them)


async def _counts(department: Department) -> dict[int, int]:
    texts = [shown(m) for m in await department.slack_messages(INCIDENTS) if not m["thread_ts"]]
    every = [*BEFORE, *DURING, *AFTER]
    return {number: sum(name(number) in text for text in texts) for number in every}


async def _resolved(department: Department, number: int) -> bool:
    (text,) = [shown(m) for m in await department.slack_messages(INCIDENTS, name(number)) if not m["thread_ts"]]
    return "esolved" in text


def test_a_damaged_store_replaces_no_good_copy(tmp_path: Path) -> None:
    store, folder = tmp_path / "pult.db", tmp_path / "backup"
    folder.mkdir()
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
        connection.executemany("INSERT INTO numbers VALUES (?)", [(each,) for each in range(10_000)])
    connection.close()
    copy, size = backup(f"sqlite:///{store}", folder)
    good = copy.read_bytes()
    assert len(good) == size
    store.write_bytes(good[:8192] + b"\xff" * 8192 + good[16384:])
    with pytest.raises(UserError, match=r"damaged|can't be copied"):
        backup(f"sqlite:///{store}", folder)
    assert copy.read_bytes() == good
    with pytest.raises(UserError, match="no store"):
        backup(f"sqlite:///{tmp_path}/other.db", folder)
    with pytest.raises(UserError, match="pg_dump"):
        backup("postgresql://pult@db/pult", folder)
