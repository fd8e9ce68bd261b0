"""Promise 19 on a real pair: writers try both servers all the time, and at no instant are both of them accepted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.sql import open_store
from bot.domain.errors import PultError
from bot.domain.failover import Way
from tests.department import until
from tests.postgres_load import EVERYBODY, Load, loaded
from tests.postgres_pair import Node, Pair, beating, pair

__all__ = ["pair"]
pytestmark = pytest.mark.postgres
WAY = Way("nyc2", "sfo3")


@contextmanager
def restarted_by_somebody(node: Node) -> Iterator[None]:
    """A supervisor that starts the server again and again, whatever a failover is about."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.3):
            node.start()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def never_both(load: Load, old: Node, new: Node) -> None:
    """A write is accepted somewhere between its asking and its acknowledgement: no such spans of both may touch."""
    assert load.accepted(new), "the new primary was never written to"
    assert max(each.acknowledged for each in load.accepted(old)) < min(each.asked for each in load.accepted(new))


# Not by two replicas: what holds the pair is driven here directly, by nobody else's process.
@pytest.mark.parametrize("died", ["", "at once", "cut off before"], ids=["lives", "killed", "killed behind"])
async def test_p19_never_are_both_written_to(
    pair: Pair, tmp_path: Path, record_property: Callable[[str, object], None], died: str
) -> None:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store, beating(pair, store) as database:
        await until("no lag is known", lambda: _lag(database))
        with loaded(pair, EVERYBODY) as load, restarted_by_somebody(pair.nyc2):
            await until("no writes", lambda: load.exceeds(pair.nyc2, 500))
            if died == "cut off before":
                pair.cut_off()
                await until("the lag does not grow", lambda: _behind(database))
            killed = time.monotonic()
            if died:
                pair.nyc2.kill()
            lag = (await _fenced(database)).lag
            await database.promote(WAY)
            await until("the new one is not written to", lambda: load.exceeds(pair.sfo3, 200))
            served = load.accepted(pair.sfo3)[0].acknowledged
            await asyncio.sleep(1)  # the probes go on
        never_both(load, pair.nyc2, pair.sfo3)
        lost = load.lost(pair.sfo3, by=pair.nyc2)
        last = load.accepted(pair.nyc2)[-1].acknowledged
        assert lag is not None
        assert all(each.acknowledged >= last - lag for each in lost), "more is lost than the lag has told"
        if died != "at once":  # what was on its way when it was killed is lost or not, within the lag that is told
            assert bool(lost) is (died == "cut off before")
        for name, value in {
            "rto_seconds": served - killed, "rpo_seconds": lag, "rows_lost": len(lost),
            "rows_accepted": len(load.accepted(pair.nyc2)),
        }.items():  # fmt: skip
            record_property(name, value)
            print(f"{died or 'alive'}: {name} {value:.2f}")


async def _fenced(database: SelfRunPostgres):
    """What the pair said before the fence, which a supervisor that starts the server makes a race: hence again."""
    before = await database.replication(WAY)
    while True:
        try:
            await database.fence(WAY)
        except PultError:
            continue
        if (await database.replication(WAY)).fenced:
            return before


async def _lag(database: SelfRunPostgres) -> bool:
    return (await database.replication(WAY)).lag is not None


async def _behind(database: SelfRunPostgres) -> bool:
    return ((await database.replication(WAY)).lag or 0) > 3
