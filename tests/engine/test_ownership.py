"""Ownership: leases over a real store, several replicas in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.errors import FencedError, UnavailableError
from bot.domain.leases import TTL
from bot.engine.meters import Meters
from bot.engine.ownership import Ownership
from bot.ports.leases import Hold

NAMES = tuple(f"lane-{number:02}" for number in range(16))
PATIENCE = 20.0


@dataclass
class Replica:
    """One replica that only notes what it has. ``slow``: seconds in which a duty ends what it has begun."""

    store: SqlStore
    name: str
    shared: bool = True
    slow: float = 0.0
    strict: bool = False
    has: dict[str, Hold] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.meters = Meters("test")
        self.ownership = Ownership(self.store, SystemClock(), self.meters, name=self.name, shared=self.shared)
        self.ownership.add(NAMES, self._duty, strict=self.strict)
        self.task = asyncio.create_task(self.ownership.run())

    def owns(self) -> set[str]:
        """By its metric."""
        samples = [each for metric in self.meters.owner.collect() for each in metric.samples]
        return {each.labels["lease"] for each in samples if each.value}

    async def _duty(self, hold: Hold) -> None:
        self.has[hold.name] = hold
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.slow)
            if self.has.get(hold.name) is hold:
                del self.has[hold.name]

    async def dies(self) -> None:
        """Without a word."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def stops(self) -> None:
        await self.ownership.hand_over()
        await self.ownership.resign()
        await self.dies()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as opened:
        yield opened


async def test_replicas_share_every_duty_between_them_and_never_both_have_one(store: SqlStore) -> None:
    one = Replica(store, "one")
    await becomes(lambda: set(one.has) == set(NAMES))
    two = Replica(store, "two", slow=0.05)
    both: list[set[str]] = []
    store.on_commit(lambda _: both.append(one.has.keys() & two.has.keys()))
    await becomes(lambda: two.has and one.has.keys() | two.has.keys() == set(NAMES))
    assert not any(both)
    assert [each.name for each in one.ownership.replicas] == ["one", "two"]
    await two.stops()
    await becomes(lambda: set(one.has) == set(NAMES))
    await one.dies()


async def test_who_dies_is_replaced_when_its_leases_have_run_out(store: SqlStore) -> None:
    one, two = Replica(store, "one"), Replica(store, "two")
    await becomes(lambda: two.has and one.has.keys() | two.has.keys() == set(NAMES))
    at = time.monotonic()
    await two.dies()
    await becomes(lambda: set(one.has) == set(NAMES))
    assert time.monotonic() - at < 10
    await one.dies()


async def test_who_stops_hands_over_at_once(store: SqlStore) -> None:
    one, two = Replica(store, "one"), Replica(store, "two")
    await becomes(lambda: two.has and one.has.keys() | two.has.keys() == set(NAMES))
    at = time.monotonic()
    await two.stops()
    await becomes(lambda: set(one.has) == set(NAMES))
    assert time.monotonic() - at < TTL.total_seconds() / 2, "it need not run out"
    await one.dies()


async def test_the_next_boot_of_a_name_need_not_wait(store: SqlStore) -> None:
    one = Replica(store, "one")
    await becomes(lambda: set(one.has) == set(NAMES))
    await one.dies()
    at = time.monotonic()
    again = Replica(store, "one")
    await becomes(lambda: set(again.has) == set(NAMES))
    assert time.monotonic() - at < TTL.total_seconds() / 2, "it need not run out"
    await again.dies()


async def test_work_under_a_lost_lease_is_not_committed_and_its_duty_ends(store: SqlStore) -> None:
    one = Replica(store, "one")
    await becomes(lambda: set(one.has) == set(NAMES))
    hold = one.has["lane-03"]
    await store.write(hold.fence)
    await store.write(lambda tx: tx.take("lane-03", "somebody", TTL))
    with pytest.raises(FencedError):
        await store.write(lambda tx: (tx.beat(), hold.fence(tx)))  # type: ignore[attr-defined]
    await becomes(lambda: "lane-03" not in one.has)
    await becomes(lambda: "lane-03" in one.has)  # it ran out: nobody of that name is alive
    assert one.has["lane-03"] is not hold
    await store.write(one.has["lane-03"].fence)
    await one.dies()


async def test_a_lease_that_can_not_be_renewed_is_not_valid_before_it_runs_out(store: SqlStore) -> None:
    one = Replica(store, "one")
    await becomes(lambda: set(one.has) == set(NAMES))
    hold = one.has["lane-00"]
    assert hold.valid()
    await one.dies()
    at = time.monotonic()
    await becomes(lambda: not hold.valid())
    assert time.monotonic() - at < TTL.total_seconds()


async def test_a_strict_duty_ends_when_the_store_is_away_and_begins_again_with_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Replica(store, "one", strict=True), Replica(store, "two")
    await becomes(lambda: one.has and two.has and one.has.keys() | two.has.keys() == set(NAMES))

    async def away(_: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", away)
        await becomes(lambda: not one.has)
        assert two.has, "who is no longer sure may still end what it has begun"
    await becomes(lambda: one.has and one.has.keys() | two.has.keys() == set(NAMES))
    for each in (one, two):
        await each.dies()


async def test_a_strict_duty_ends_in_time_also_when_the_store_does_not_even_refuse(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows everything: the write hangs until its deadline, which is later than the lease's end."""
    one, refused = Replica(store, "one", strict=True), asyncio.Event()
    await becomes(lambda: set(one.has) == set(NAMES))

    async def hangs(_: object) -> None:
        await asyncio.sleep(PATIENCE)
        refused.set()
        raise UnavailableError("no answer in time")

    monkeypatch.setattr(store, "write", hangs)
    await becomes(lambda: not one.has)
    assert not refused.is_set()
    await one.dies()


async def test_who_can_not_reach_a_platform_leaves_everything_to_who_can(store: SqlStore) -> None:
    one, two = Replica(store, "one"), Replica(store, "two")
    await becomes(lambda: one.has and two.has and one.has.keys() | two.has.keys() == set(NAMES))
    at = time.monotonic()
    one.ownership.missed("slack")
    await becomes(lambda: set(two.has) == set(NAMES))
    assert time.monotonic() - at < TTL.total_seconds() / 2, "it need not run out"
    two.ownership.missed("telegram")  # now neither reaches more than the other
    await becomes(lambda: one.has and two.has and one.has.keys() | two.has.keys() == set(NAMES))
    one.ownership.reached("slack")
    await becomes(lambda: set(one.has) == set(NAMES))
    for each in (one, two):
        await each.dies()


async def test_a_lease_taken_by_a_commit_that_seemed_lost_is_freed_for_whom_it_belongs_to(store: SqlStore) -> None:
    one, two = Replica(store, "one"), Replica(store, "two")
    await becomes(lambda: two.has and one.has.keys() | two.has.keys() == set(NAMES))
    name = next(name for name in two.has if not one.ownership.rightful(name))
    before = two.has[name]
    await store.write(lambda tx: tx.take(name, one.ownership.me.boot, TTL))
    await becomes(lambda: two.has.get(name, before) is not before)
    await store.write(two.has[name].fence)
    for each in (one, two):
        await each.dies()


async def test_what_needs_the_store_is_attended_to_only_while_others_count_on_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, heard = Replica(store, "one"), []

    async def hears() -> None:
        heard.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            heard.append("ends")

    attending = asyncio.create_task(one.ownership.attend(hears))
    await becomes(lambda: heard == ["begins"])

    async def away(_: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", away)
        await becomes(lambda: heard == ["begins", "ends"])
        assert one.owns() == set(), "a lease that is not renewed is nobody's to show"
    await becomes(lambda: heard == ["begins", "ends", "begins"])
    await becomes(lambda: one.owns() == set(NAMES))
    attending.cancel()
    await asyncio.wait({attending})
    await one.dies()


async def test_where_nobody_else_can_be_everything_is_had_and_nothing_written(store: SqlStore) -> None:
    one = Replica(store, "one", shared=False)
    await becomes(lambda: set(one.has) == set(NAMES))
    assert all(hold.valid() for hold in one.has.values())
    await store.write(one.has["lane-00"].fence)
    assert await store.read(lambda tx: (tx.replicas(), tx.tenures())) == ((), ())
    await one.stops()
    assert one.has == {}


async def becomes(true: Callable[[], object]) -> None:
    """Wait for it."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)
