"""Watches over feeds that break in every way: listed anew when stale, back when away, blind in between and said so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import pytest

from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.sights import Ailment, Kind, Owner, Place, PodSight
from bot.domain.trouble import Limits, Trouble
from bot.engine.watching import FIRST, LAST, LOOK_AGAIN, Watches
from bot.ports.watching import AbsentError, Change, Page, StaleError, State
from tests.handlers.fakes import NOON, FakeClock

PLACE = Place("nyc2", "production", Kind.POD)
OWNER = Owner("deployment", "api")
WELL = PodSight("1", OWNER)
SICK = PodSight("1", OWNER, 1, Ailment(ended=NOON, killed=NOON, hog="api"))


class Clock(FakeClock):
    """Remembers how long was slept, and lets others work meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)
        await asyncio.sleep(0)


class FakeFeed:
    """Answers what it is told to, in order: pages by what is asked for, watches as scripts of changes and errors."""

    place = PLACE

    def __init__(self, pages: list[Page | Exception], watches: list[list[tuple[Change, ...] | Exception]]) -> None:
        self.pages, self.watches = pages, watches
        self.asked: list[str] = []
        self.done = asyncio.Event()

    async def page(self, rest: str) -> Page:
        self.asked.append(f"page {rest}".strip())
        found = self.pages.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def changes(self, version: str) -> AsyncGenerator[tuple[Change, ...], None]:
        self.asked.append(f"watch {version}")
        if not self.watches:
            yield ()
            self.done.set()
            await asyncio.Event().wait()
        for each in self.watches.pop(0):
            if isinstance(each, Exception):
                raise each
            yield each


@asynccontextmanager
async def running(feed: FakeFeed) -> AsyncIterator[tuple[Watches, Clock]]:
    """Until its scripts are played to the end."""
    clock = Clock()
    watches = Watches([feed], Limits(), clock, Random(7))
    task = asyncio.ensure_future(watches.run())
    try:
        async with asyncio.timeout(10):
            await feed.done.wait()
        yield watches, clock
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_watch_goes_on_from_its_list_and_its_bookmarks() -> None:
    first, rest = Page({"a": WELL}, "", "more"), Page({"b": WELL}, "7")
    feed = FakeFeed([first, rest], [[(Change("8", "a", SICK),), (Change("90"),)]])
    async with running(feed) as (watches, _):
        assert feed.asked == ["page", "page more", "watch 7", "watch 90"]
        seen = watches.seen()[PLACE]
        assert seen.state is State.LIVE
        assert {each.trouble for each in seen.findings} == {Trouble.RESTARTS, Trouble.MEMORY}


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_version_that_was_forgotten_is_listed_anew(at_once: bool) -> None:
    broken: list[tuple[Change, ...] | Exception] = [StaleError("410")]
    feed = FakeFeed(
        [Page({"a": SICK, "b": WELL}, "7"), Page({"b": WELL}, "500")],
        [broken if at_once else [(Change("8"),), *broken]],
    )
    async with running(feed) as (watches, _):
        assert feed.asked[-2:] == ["page", "watch 500"]
        assert [each for each in watches.seen()[PLACE].findings if each.firm] == [], "a is gone with the old list"


async def test_a_list_that_expires_half_way_begins_anew() -> None:
    feed = FakeFeed([Page({"a": SICK}, "", "more"), StaleError("410"), Page({"b": WELL}, "9")], [])
    async with running(feed):
        assert feed.asked == ["page", "page more", "page", "watch 9"]


async def test_a_connection_that_breaks_goes_on_where_it_was() -> None:
    feed = FakeFeed([Page({}, "7")], [[(Change("8", "a", SICK),), TemporaryError("dropped")], [TemporaryError("away")]])
    async with running(feed) as (watches, _):
        assert feed.asked == ["page", "watch 7", "watch 8", "watch 8"]
        assert {each.trouble for each in watches.seen()[PLACE].findings if each.firm} == {Trouble.MEMORY}


async def test_it_waits_longer_each_time_and_never_all_at_once() -> None:
    feed = FakeFeed([*(TemporaryError("away") for _ in range(10)), Page({}, "7")], [])
    async with running(feed) as (_, clock):
        limits = [min(LAST, FIRST * 2**number) for number in range(10)]
        assert all(limit / 2 <= slept <= limit for slept, limit in zip(clock.slept, limits, strict=True))
        assert len({slept / limit for slept, limit in zip(clock.slept, limits, strict=True)}) == 10


async def test_a_server_that_names_its_delay_gets_it() -> None:
    feed = FakeFeed([RateLimitedError("429", 17.0), Page({}, "7")], [])
    async with running(feed) as (_, clock):
        assert clock.slept == [17.0]


async def test_one_that_is_away_is_unknown_and_shows_nothing() -> None:
    feed = FakeFeed([Page({"a": SICK}, "7")], [])
    async with running(feed) as (watches, _):
        assert watches.seen()[PLACE].findings
    blind = FakeFeed([Page({"a": SICK}, "7")], [[TemporaryError("no answer from nyc2")]])
    states: list[tuple[State, str, int]] = []
    clock = Clock()
    watches = Watches([blind], Limits(), clock)
    clock.ticks.append(lambda: states.append(_state(watches)))
    task = asyncio.ensure_future(watches.run())
    await blind.done.wait()
    task.cancel()
    await asyncio.wait({task})
    assert states[0] == (State.UNKNOWN, "no answer from nyc2", 0)


def _state(watches: Watches) -> tuple[State, str, int]:
    seen = watches.seen()[PLACE]
    return seen.state, seen.why.plain(), len(seen.findings)


@pytest.mark.parametrize(
    ("error", "state"),
    [(UserError("nyc2 does not allow it"), State.REFUSED), (AbsentError("no such type"), State.ABSENT)],
)
async def test_where_it_may_not_look_it_asks_again_later(error: UserError, state: State) -> None:
    feed = FakeFeed([error, Page({}, "7")], [])
    states: list[State] = []
    clock = Clock()
    watches = Watches([feed], Limits(), clock)
    clock.ticks.append(lambda: states.append(watches.seen()[PLACE].state))
    task = asyncio.ensure_future(watches.run())
    await feed.done.wait()
    assert states == [state]
    assert watches.seen()[PLACE].state is State.LIVE
    assert clock.at - NOON >= timedelta(seconds=LOOK_AGAIN * 0.8)
    task.cancel()
    await asyncio.wait({task})


async def test_a_bug_in_one_watch_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    feed = FakeFeed([ZeroDivisionError(), Page({}, "7")], [])  # type: ignore[list-item]
    async with running(feed) as (watches, _):
        assert watches.seen()[PLACE].state is State.LIVE
    assert "a watch broke" in caplog.text


async def test_a_watch_that_ends_at_once_each_time_is_not_asked_in_a_loop() -> None:
    feed = FakeFeed([Page({}, "7")], [[] for _ in range(6)])
    async with running(feed) as (_, clock):
        assert sum(clock.slept) > 6
