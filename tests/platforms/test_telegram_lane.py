"""A real lane over a real store into Telegram: what a busy group sees first, and that it stays within the rates."""

import asyncio
import time
from datetime import timedelta

import pytest

from bot.adapters.sql import open_store
from bot.domain.cards import Place, Priority, Wish
from bot.domain.leases import shares
from bot.domain.messages import Message
from bot.domain.phrases import verbatim
from bot.engine.delivery import Delivery
from bot.engine.meters import Meters
from bot.engine.ownership import Sole
from bot.platforms.telegram.opening import english
from bot.ports.presenters import Presenter
from tests.migrated import sqlite_store
from tests.platforms.telegram_setup import ANNA, INCIDENTS, START, Clock, Simulated, opened, served, until
from tests.spoken import in_russian

SPEED = 30
GROUP = Place(f"telegram:{INCIDENTS}")


class Fast(Clock):
    """Life at thirty times its speed."""

    def __init__(self):
        super().__init__()
        self.began = time.monotonic()

    def now(self):
        return START + timedelta(seconds=(time.monotonic() - self.began) * SPEED)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / SPEED)


@pytest.fixture
async def sim():
    """Its rates are off: at this speed a millisecond of jitter would break them. The tests count themselves."""
    async with served(Simulated(Fast())) as world:
        world.tg.rates.scale = 0
        yield world


def busiest(sim, seconds):
    """The most posts and edits in any *seconds* of the group's life."""
    at = sorted(revision.at for m in sim.tg.everything(INCIDENTS) for revision in m.revisions)
    span = timedelta(seconds=seconds)
    return max(sum(begin <= each < begin + span for each in at) for begin in at)


class World:
    """Subjects whose text is their revision."""

    def __init__(self, store, clock):
        self.store, self.clock, self.said = store, clock, {}
        self.wanted = {}

    def presenters(self):
        def draw(ident):
            return Message(verbatim(f"{ident} {self.said.get(ident, 0)}"))

        return dict.fromkeys(("alert", "op"), Presenter(lambda _tx, ident: ident, draw))

    async def show(self, kind, ident, priority):
        wish = Wish(f"{kind}:{ident}", GROUP, priority)
        self.wanted[ident] = self.clock.now()
        await self.store.write(lambda tx: tx.show(wish, self.clock.now()))

    async def change(self, kind, ident):
        self.said[ident] = self.said.get(ident, 0) + 1
        await self.store.write(lambda tx: tx.bump(f"{kind}:{ident}", self.clock.now()))


@pytest.fixture
async def world(sim, tmp_path):
    async with open_store(sqlite_store(tmp_path)) as store, opened(sim) as chat:
        made = World(store, sim.clock)
        lanes = Delivery(store, sim.clock, {"telegram": chat}, made.presenters(), english, Meters("test"))
        task = asyncio.create_task(_delivered(lanes))
        await asyncio.sleep(0)
        made.lanes = lanes
        yield made
        task.cancel()
        await asyncio.wait({task})


async def _delivered(lanes):
    """Every share is ours."""
    async with asyncio.TaskGroup() as group:
        group.create_task(lanes.run())
        for name in shares():
            group.create_task(lanes.serve(Sole(name)))


def first_seen(sim, ident):
    return next((m.date for m in sim.standing() if m.revisions[0].text.startswith(f"🔵 {ident} ")), None)


async def test_a_storm_of_edits_starves_no_page_and_breaks_no_limit(sim, world):
    """Three minutes: an operation that changes all the time, ten pages that change, new cards, and three new pages."""
    for number in range(10):
        await world.show("alert", f"old{number}", Priority.PAGE)
    await world.show("op", "live", Priority.OPERATION)
    began, pages, cards = sim.clock.now(), [], 0
    while (spent := (sim.clock.now() - began).total_seconds()) < 180:
        await world.change("op", "live")
        for number in range(10):
            await world.change("alert", f"old{number}")
        if spent > 6 * (cards + 1):
            cards += 1
            await world.show("alert", f"new{cards}", Priority.NORMAL)
        if spent > 60 + 40 * len(pages) and len(pages) < 3:
            pages.append(f"page{len(pages)}")
            await world.show("alert", pages[-1], Priority.PAGE)
        await asyncio.sleep(0.03)
    assert busiest(sim, 57) <= 20
    assert busiest(sim, 2) <= 4
    late = [(first_seen(sim, page) - world.wanted[page]).total_seconds() for page in pages]
    assert max(late) < 10, late
    (live,) = (m for m in sim.standing() if m.text.startswith("🔵 live "))
    gaps = [
        (after.at - before.at).total_seconds()
        for before, after in zip(live.revisions[1:], live.revisions[2:], strict=False)
    ]
    assert min(gaps, default=3.0) > 2.9, "at most one edit in three seconds"
    assert sum(first_seen(sim, f"new{n}") is not None for n in range(1, cards + 1)) >= 5, "new cards come through too"
    assert sum(len(m.revisions) - 1 for m in sim.standing() if m.text.startswith("🔵 old")) >= 5


async def test_live_progress_alone_keeps_its_pace_and_ends_with_the_last_state(sim, world):
    await world.show("op", "live", Priority.OPERATION)
    for _ in range(100):
        await world.change("op", "live")
        await asyncio.sleep(0.02)
    await until(lambda: sim.standing()[0].text == "🔵 live 100")
    edits = len(sim.standing()[0].revisions) - 1
    assert 5 <= edits <= 25, "a hundred changes collapse"


async def test_a_chat_that_lets_us_in_again_gets_what_waited(sim, world):
    sim.person(ANNA).membership(INCIDENTS, "kicked")
    await world.show("alert", "waiting", Priority.PAGE)
    await until(world.lanes.trouble)
    told = world.lanes.trouble()
    assert {name: why.plain() for name, why in told.items()} == {
        GROUP.destination: "the bot was removed from this chat: invite it again"
    }
    assert in_russian(told[GROUP.destination]) == "бота удалили из этого чата: пригласите его снова"
    await asyncio.sleep(0.5)
    assert len(sim.calls("sendMessage")) < 8, "no retry loop"
    sim.person(ANNA).membership(INCIDENTS, "member")
    await until(lambda: first_seen(sim, "waiting") is not None)
    await until(lambda: not world.lanes.trouble())
