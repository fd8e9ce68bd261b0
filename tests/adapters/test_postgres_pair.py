"""Self-run PostgreSQL: the Database port over a real primary and its real streaming standby."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.postgres_ha.link import Server
from bot.adapters.postgres_ha.program import Program
from bot.adapters.sql import open_store
from bot.domain.errors import PultError, TemporaryError, UserError
from bot.domain.failover import Way
from bot.ports.regions import Replication
from tests.department import until
from tests.postgres_load import Load, loaded
from tests.postgres_pair import Node, Pair, beating, pair

__all__ = ["pair"]
pytestmark = pytest.mark.postgres
WAY = Way("nyc2", "sfo3")


@pytest.fixture
async def database(pair: Pair, tmp_path: Path) -> AsyncIterator[SelfRunPostgres]:
    """Beating, and with a program for each server."""
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store, beating(pair, store) as database:
        await until("no lag is known", lambda: known(database, WAY))
        yield database


async def known(database: SelfRunPostgres, way: Way) -> Replication | None:
    try:
        found = await database.replication(way)
    except TemporaryError:
        return None
    return found if found.lag is not None else None


async def moved(database: SelfRunPostgres, way: Way) -> None:
    """The least that a failover does."""
    await database.fence(way)
    assert (await database.replication(way)).fenced
    await database.promote(way)
    assert (await database.replication(way)).promoted


def disjoint(load: Load, old: Node, new: Node) -> None:
    """What the old one accepted was acknowledged before the first that the new one accepted was asked."""
    assert load.accepted(old)
    assert load.accepted(new)
    assert load.accepted(old)[-1].acknowledged < load.accepted(new)[0].asked


async def test_a_planned_move_loses_nothing_and_back_again(pair: Pair, database: SelfRunPostgres) -> None:
    with loaded(pair) as load:
        await until("no writes", lambda: load.exceeds(pair.nyc2, 300))
        found = await database.replication(WAY)
        assert (found.promoted, found.fenced, found.reachable) == (False, False, True)
        assert found.lag is not None
        assert found.lag < 5
        assert found.behind is not None
        await moved(database, WAY)
        await until("the new one takes no writes", lambda: load.exceeds(pair.sfo3, 50))
        assert pair.nyc2.is_standby() is False, "fenced, not killed"
        disjoint(load, pair.nyc2, pair.sfo3)
        assert load.lost(pair.sfo3, by=pair.nyc2) == []
        with pytest.raises(UserError, match="promoted"):
            await database.unfence(WAY)
        await database.rejoin(WAY.back)
        await until("it does not rejoin", lambda: known(database, WAY.back))
        assert "rewinding" in pair.nyc2.log
        assert "copying" not in pair.nyc2.log, pair.nyc2.log.partition("rewinding")[2][:900]
        await moved(database, WAY.back)
        count = len(load.accepted(pair.nyc2))
        await until("the first one takes no writes", lambda: load.exceeds(pair.nyc2, count + 50))
    assert load.lost(pair.nyc2, by=pair.sfo3) == []
    assert load.lost(pair.nyc2, by=pair.nyc2) == []


async def later(value: object) -> object:
    return value


async def test_a_dead_primary_is_fenced_by_its_command_and_the_loss_is_what_the_lag_says(
    pair: Pair, database: SelfRunPostgres
) -> None:
    with loaded(pair) as load:
        await until("no writes", lambda: load.exceeds(pair.nyc2, 300))
        pair.nyc2.kill()
        found = await until("its death is not seen", lambda: away(database))
        assert found.lag is not None
        assert found.lag < 15
        assert found.behind is None
        assert not found.fenced
        assert not await database.beats("nyc2")
        assert await database.beats("sfo3")
        await asyncio.sleep(2)
        again = await database.replication(WAY)
        assert again.lag == found.lag
        await moved(database, WAY)
        await until("the new one takes no writes", lambda: load.exceeds(pair.sfo3, 50))
        disjoint(load, pair.nyc2, pair.sfo3)
        lost = load.lost(pair.sfo3, by=pair.nyc2)
        assert all(each.acknowledged > load.accepted(pair.nyc2)[-1].acknowledged - found.lag for each in lost)
        pair.nyc2.start()  # somebody's supervisor: it is told to leave it off
        assert pair.nyc2.is_standby() is None
        await database.rejoin(WAY.back)
        await until("it does not rejoin", lambda: known(database, WAY.back))
        assert pair.nyc2.is_standby()


async def away(database: SelfRunPostgres) -> Replication | None:
    found = await database.replication(WAY)
    return None if found.reachable else found


async def test_a_superusers_session_is_no_fence_so_the_machine_is_stopped(
    pair: Pair, database: SelfRunPostgres
) -> None:
    """pult may not end it; nobody may come in any more, but who is in writes on."""
    with loaded(pair, ("postgres", "app")) as load:
        await until("no writes", lambda: load.exceeds(pair.nyc2, 100))
        assert not (await database.replication(WAY)).fenced
        await moved(database, WAY)
        assert pair.nyc2.is_standby() is None
        await until("the new one takes no writes", lambda: load.exceeds(pair.sfo3, 50))
        disjoint(load, pair.nyc2, pair.sfo3)
    assert {each.writer for each in load.accepted(pair.sfo3)} == {"sfo3-0", "sfo3-1"}


async def test_the_fence_outlives_a_crash_of_the_server_and_keeps_superusers_out(
    pair: Pair, database: SelfRunPostgres
) -> None:
    await database.fence(WAY)
    pair.nyc2.kill()
    pair.nyc2.start()
    await until("it does not come back", lambda: later(pair.nyc2.is_standby() is False))
    assert (await database.replication(WAY)).fenced
    for user in ("app", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
            pair.nyc2.sql("INSERT INTO rows (writer, n) VALUES ('x', 1)", user, "app")
    await database.unfence(WAY)
    pair.nyc2.sql("INSERT INTO rows (writer, n) VALUES ('x', 1)", "app", "app")
    assert not (await database.replication(WAY)).fenced


async def test_a_stopped_one_is_started_again_when_the_fence_is_taken_away(
    pair: Pair, database: SelfRunPostgres
) -> None:
    pair.nyc2.kill()
    await database.fence(WAY)
    assert (await database.replication(WAY)).fenced
    await database.unfence(WAY)
    pair.nyc2.sql("INSERT INTO rows (writer, n) VALUES ('x', 1)", "app", "app")
    found = await until("it does not follow", lambda: known(database, WAY))
    assert not found.fenced


async def test_what_takes_writes_is_never_promoted_over(pair: Pair, database: SelfRunPostgres) -> None:
    with pytest.raises(UserError, match="takes writes: fence it first"):
        await database.promote(WAY)
    assert pair.sfo3.is_standby()
    with pytest.raises(UserError, match="sfo3 is no open primary"):
        await database.rejoin(WAY.back)
    await database.rejoin(WAY)  # it follows already
    assert pair.nyc2.is_standby() is False


async def test_a_stranger_is_not_promoted(pair: Pair, database: SelfRunPostgres, tmp_path: Path) -> None:
    """A standby that never replayed a heartbeat of what it should stand in for; and one server under two names."""
    async with open_store(f"sqlite:///{tmp_path}/other.db") as store:
        other = SelfRunPostgres(
            [Server("ams3", "postgresql://pult@127.0.0.1:1/pult"), Server("sfo3", pair.sfo3.dsn)], {}, store,
            SystemClock(),
        )  # fmt: skip
        found = await other.replication(Way("ams3", "sfo3"))
        assert (found.lag, found.promoted, found.fenced, found.reachable) == (None, False, False, False)
        with pytest.raises(UserError, match="never replayed a heartbeat of ams3"):
            await other.promote(Way("ams3", "sfo3"))
        twice = SelfRunPostgres(
            [Server("nyc2", pair.nyc2.dsn), Server("sfo3", pair.nyc2.dsn)], {}, store, SystemClock()
        )
        with pytest.raises(UserError, match="lead to the same server"):
            await twice.replication(WAY)
    assert pair.sfo3.is_standby()


async def test_what_stops_another_server_is_no_fence(pair: Pair, tmp_path: Path) -> None:
    """A program that says that it is off, while the server, in which a superuser sits, answers."""
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store:
        machines = {"nyc2": [Program("nyc2", ("/bin/true",))]}
        servers = [Server(node.name, node.dsn) for node in pair.nodes]
        database = SelfRunPostgres(servers, machines, store, SystemClock())
        with pytest.raises(UserError, match="says that it is off: it is another one"):
            await database.check("nyc2")
        with psycopg.connect(pair.nyc2.url("postgres"), autocommit=True):
            with pytest.raises(UserError, match=r"not confirmed.*another one: it still answers"):
                await database.fence(WAY)
            assert not (await database.replication(WAY)).fenced


async def test_a_primary_that_comes_back_unfenced_is_fenced_at_once(pair: Pair, tmp_path: Path) -> None:
    """Promoted on a person's word that the old one is off: nothing was there to fence it with."""
    async with (
        open_store(f"sqlite:///{tmp_path}/pult.db") as store, beating(pair, store, programs=False) as database,
    ):  # fmt: skip
        await until("no lag is known", lambda: known(database, WAY))
        pair.nyc2.kill()
        await until("its death is not seen", lambda: away(database))
        with pytest.raises(TemporaryError):
            await database.fence(WAY)
        await database.promote(WAY)
        assert not (await database.replication(WAY)).fenced
        (pair.nyc2.folder / "data.alone").touch()
        pair.sfo3.sql("ALTER ROLE replicator NOLOGIN")  # start.sh can't ask, and somebody knows better
        pair.nyc2.start()
        found = await until("it is not fenced", lambda: back(database))
        assert found.promoted


async def back(database: SelfRunPostgres) -> Replication | None:
    found = await database.replication(WAY)
    return found if found.reachable and found.fenced else None


async def test_the_loss_is_still_known_to_a_pult_that_was_restarted(
    pair: Pair, database: SelfRunPostgres, tmp_path: Path
) -> None:
    pair.nyc2.kill()
    before = await until("its death is not seen", lambda: away(database))
    await asyncio.sleep(2)
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store:
        servers = [Server(node.name, node.dsn) for node in pair.nodes]
        again = await SelfRunPostgres(servers, {}, store, SystemClock()).replication(WAY)
    assert again.lag == before.lag


async def test_replicas_that_stand_still_are_told_by_the_lag(pair: Pair, database: SelfRunPostgres) -> None:
    """Idle, and nothing is replayed: the seconds grow all the same. A primary that is only slow is not gone."""
    pair.sfo3.sql("SELECT pg_wal_replay_pause()")
    await asyncio.sleep(3)
    pair.nyc2.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
    first = await until("no lag", lambda: behind(database))
    await asyncio.sleep(1.5)
    second = await behind(database)
    assert second is not None
    assert second.lag > first.lag + 1


async def behind(database: SelfRunPostgres) -> Replication | None:
    found = await database.replication(WAY)
    return found if found.lag and found.lag > 2 else None


async def test_nothing_secret_is_said(pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store:
        for dsn in ("postgresql://pult:hunter2@127.0.0.1:1/pult", f"postgresql://no:hunter2@127.0.0.1:{pair.nyc2.port}/pult",
                    "postgresql//pult:hunter2@x/pult", "host=a,b password=hunter2"):  # fmt: skip
            database = SelfRunPostgres([Server("nyc2", dsn), Server("sfo3", dsn)], {}, store, SystemClock())
            for ask, where in (
                (database.replication, WAY), (database.fence, WAY), (database.check, "nyc2"), (database.beats, "nyc2"),
            ):  # fmt: skip
                with pytest.raises(PultError) as raised:
                    await ask(where)
                assert "hunter2" not in str(raised.value)
                assert "hunter2" not in str(raised.value.__cause__)
    assert "hunter2" not in caplog.text
