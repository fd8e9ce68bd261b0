"""Timers: each runs once, when it is due, whatever happens to others; also after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.sql import SqlStore, open_store
from bot.engine.scheduler import Scheduler
from bot.ports.schedules import Timed
from bot.ports.store import Tx
from tests.handlers.fakes import NOON, FakeClock
from tests.migrated import sqlite_store

MINUTE = timedelta(minutes=1)


class Work:
    """Remembers what it did; ``fails`` once for each ident in it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails: set[str] = set()

    def run(self, tx: Tx, ident: str, now: datetime) -> None:
        if ident in self.fails:
            raise ZeroDivisionError
        self.done.append(ident)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(sqlite_store(tmp_path)) as opened:
        yield opened


async def test_what_is_due_runs_once_in_its_order(store: SqlStore) -> None:
    work, clock = Work(), FakeClock()
    scheduler = Scheduler(store, clock, [Timed("ack", work.run)])
    for number in range(250):
        await store.write(lambda tx, n=number: tx.set_timer("ack", f"a-{n:03d}", NOON - n * MINUTE))
    await store.write(lambda tx: tx.set_timer("ack", "later", NOON + MINUTE))
    await scheduler.sweep()
    assert work.done == [f"a-{number:03d}" for number in reversed(range(250))]
    await scheduler.sweep()
    assert len(work.done) == 250
    clock.at += MINUTE
    await Scheduler(store, clock, [Timed("ack", work.run)]).sweep()
    assert work.done[-1] == "later", "after a restart too"


async def test_what_fails_stops_no_other_and_is_tried_again(store: SqlStore) -> None:
    work, clock = Work(), FakeClock()
    work.fails = {"bad"}
    scheduler = Scheduler(store, clock, [Timed("ack", work.run)])
    for ident in ("bad", "good"):
        await store.write(lambda tx, ident=ident: tx.set_timer("ack", ident, NOON))
    await scheduler.sweep()
    assert work.done == ["good"]
    work.fails.clear()
    clock.at += 2 * MINUTE
    await scheduler.sweep()
    assert work.done == ["good", "bad"]


async def test_a_timer_that_was_moved_meanwhile_does_not_go_off(store: SqlStore) -> None:
    work, clock = Work(), FakeClock()
    scheduler = Scheduler(store, clock, [Timed("ack", work.run)])
    await store.write(lambda tx: tx.set_timer("ack", "a", NOON))
    (timer,) = await store.read(lambda tx: tx.ripe_timers(NOON, 10))
    await store.write(lambda tx: tx.set_timer("ack", "a", NOON + MINUTE))
    await scheduler._go_off(timer)
    assert work.done == []
    assert await store.read(lambda tx: tx.timer("ack", "a")) == NOON + MINUTE


async def test_a_kind_of_another_version_is_dropped(store: SqlStore) -> None:
    await store.write(lambda tx: tx.set_timer("strange", "a", NOON))
    await Scheduler(store, FakeClock(), []).sweep()
    assert await store.read(lambda tx: tx.timer("strange", "a")) is None
