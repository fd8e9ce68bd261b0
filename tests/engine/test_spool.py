"""The spool's merge: real stores, real alerting, and chats that only take what they are given."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.sql import SqlStore, open_store
from bot.domain.alerts import Alert, Notification
from bot.domain.cards import Ref
from bot.domain.errors import UnavailableError
from bot.domain.events import Heard
from bot.domain.phrases import English
from bot.domain.routes import Route
from bot.domain.services import Catalogue
from bot.engine.delivery import Delivery as Lanes
from bot.engine.intake import Intake
from bot.engine.meters import Meters
from bot.engine.spool import Spool
from bot.ports.store import Tx
from bot.ports.webhooks import Delivery, Source
from handlers import hearing
from handlers.alerting.rules import Rules
from tests.handlers.fakes import FakeClock

HERE = "slack:C0INC"
MINUTE = timedelta(minutes=1)


def parse(received: Delivery) -> Heard:
    """Bodies are lists of ``name, group, firing``."""
    told = json.loads(received.body)
    return Heard(tuple(_notification(received, *each) for each in told))


def _notification(received: Delivery, name: str, key: str, firing: bool) -> Notification:
    ends = None if firing else received.received_at
    one = Alert(name, {"alertname": name, "severity": "warning"}, {}, received.received_at - MINUTE, ends)
    return Notification("alertmanager", key, "pult", {"alertname": name}, (one,))


STATEFUL = Source("alertmanager", lambda _: None, parse, lambda _: "")
KEYED = Source("github", lambda _: None, parse, lambda received: received.headers["x-github-delivery"])


@dataclass
class Rig:
    """A store that may be away, and the spool before it."""

    store: SqlStore
    local: SqlStore
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        hear = hearing(Rules(routes=(Route((HERE,)),)), Catalogue(()))
        self.intake = Intake(self.store, self.clock, hear)
        self.meters = Meters("test")
        self.spool = Spool(
            self.store, self.local, self.clock, self.meters, probe=self.store.ping, intake=self.intake,
            apart=Intake(self.local, self.clock, hear), sources={"alertmanager": STATEFUL, "github": KEYED},
        )  # fmt: skip

    def received(self, *told: tuple[str, str, bool], ident: str = "d-1") -> Delivery:
        headers = {"x-github-delivery": ident, "authorization": "Bearer hunter2"}
        return Delivery(headers, json.dumps(told).encode(), self.clock.at)

    async def keeps(self, received: Delivery, source: Source = STATEFUL) -> bool:
        return await self.spool.keep(source, received, parse(received), still=False)

    async def accepts(self, received: Delivery, source: Source = STATEFUL) -> bool:
        """Whether it is a duplicate."""
        key = source.key(received)
        return (await self.intake.accept(source.name, key, parse(received), received.body)).duplicate

    async def posted(self, store: SqlStore, prefix: str) -> None:
        """Everything that is due there is shown, and recorded."""

        def show(tx: Tx) -> None:
            while card := tx.due(HERE, self.clock.at):
                tx.shown(card, card.ref or Ref("C0INC", f"{prefix} {card.subject}"), self.clock.at)

        await store.write(show)

    async def refs(self) -> dict[str, tuple[str, bool]]:
        """By name of the alert: the message that its newest card has, and whether something is due there."""

        def read(tx: Tx) -> dict[str, tuple[str, bool]]:
            groups = {f"alert:{group.id}": group.name for group in tx.recent_groups(100)}
            cards = reversed(tx.latest_cards(HERE, 100))
            return {
                groups[card.subject]: (card.ref.message if card.ref else "", card.wanted > card.shown)
                for card in cards
                if card.subject in groups
            }

        return await self.store.read(read)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store, open_store(f"sqlite:///{tmp_path}/s.db") as local:
        yield Rig(store, local)


async def test_the_stores_card_takes_over_what_the_spool_has_posted(rig: Rig) -> None:
    assert await rig.keeps(rig.received(("Disk", "g1", True)))
    await rig.posted(rig.local, "spooled")
    await rig.spool._merge()
    ((message, due),) = (await rig.refs()).values()
    assert message.startswith("spooled alert:")
    assert due, "the note is to go"
    assert not rig.spool.active
    assert await rig.accepts(rig.received(("Disk", "g1", True)))


async def test_a_group_that_fired_before_has_another_name_in_the_spool_and_is_found_all_the_same(rig: Rig) -> None:
    for firing in (True, False):
        assert not await rig.accepts(rig.received(("Disk", "g1", firing)))
        rig.clock.at += 10 * MINUTE
    await rig.posted(rig.store, "first")
    await rig.keeps(rig.received(("Disk", "g1", True)))
    await rig.posted(rig.local, "spooled")
    await rig.spool._merge()
    assert (await rig.refs())["Disk"][0].startswith("spooled")


async def test_a_message_that_stands_already_stays_the_cards(rig: Rig) -> None:
    await rig.accepts(rig.received(("Disk", "g1", True)))
    await rig.posted(rig.store, "first")
    await rig.keeps(rig.received(("Disk", "g1", True), ("Other", "g2", True)))
    await rig.posted(rig.local, "spooled")
    await rig.spool._merge()
    refs = await rig.refs()
    assert refs["Disk"][0].startswith("first")
    assert refs["Other"][0].startswith("spooled")


async def test_a_second_message_points_to_the_one_that_goes_on(rig: Rig) -> None:
    await rig.accepts(rig.received(("Disk", "g1", True)))
    await rig.posted(rig.store, "first")
    await rig.keeps(rig.received(("Disk", "g1", True)))
    await rig.posted(rig.local, "spooled")
    await rig.spool._merge()
    second = next(card for card in await rig.store.read(lambda tx: tx.latest_cards(HERE, 9)) if "twice" in card.subject)
    assert second.ref is not None
    assert second.ref.message.startswith("spooled")
    assert second.wanted > second.shown, "it is to be edited"
    said = await rig.store.read(lambda tx: tx.message(second.subject))
    assert said is not None
    assert "Told twice: a-" in said.title.plain()


async def test_a_message_that_both_have_found_is_one(rig: Rig) -> None:
    for take, store in ((rig.accepts, rig.store), (rig.keeps, rig.local)):
        await take(rig.received(("Disk", "g1", True)))
        await rig.posted(store, "same")
    await rig.spool._merge()
    assert [card.subject[:6] for card in await rig.store.read(lambda tx: tx.latest_cards(HERE, 9))] == ["alert:"]


async def test_what_is_not_posted_yet_is_posted_by_the_store(rig: Rig) -> None:
    await rig.keeps(rig.received(("Disk", "g1", True)))
    await rig.spool._merge()
    assert await rig.refs() == {"Disk": ("", True)}


async def test_a_sender_that_comes_again_adds_nothing(rig: Rig) -> None:
    for _ in range(3):
        await rig.keeps(rig.received(("Disk", "g1", True)))
        await rig.keeps(rig.received(("Build", "g2", True), ident="d-7"), KEYED)
    assert rig.spool.count == 2
    await rig.spool._merge()
    assert await rig.accepts(rig.received(("Build", "g2", True), ident="d-7"), KEYED)
    assert not await rig.accepts(rig.received(("Build", "g2", False), ident="d-8"), KEYED)


async def test_no_header_that_proves_who_sent_it_is_kept(rig: Rig) -> None:
    await rig.keeps(rig.received(("Disk", "g1", True)))
    kept = await rig.local.read(lambda tx: tx.mark("spooled 0"))
    assert "hunter2" not in str(kept)


async def test_the_next_process_finds_what_was_kept(rig: Rig) -> None:
    await rig.keeps(rig.received(("Disk", "g1", True)))
    other = Rig(rig.store, rig.local)
    assert not other.spool.active
    await other.spool.find()
    assert other.spool.active
    assert other.spool.count == 1
    await other.spool._merge()
    assert set(await other.refs()) == {"Disk"}


async def test_what_the_store_does_not_take_stays_in_the_spool(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.keeps(rig.received(("Disk", "g1", True)))

    async def away(_: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(rig.store, "write", away)
        with pytest.raises(UnavailableError):
            await rig.spool._merge()
    assert rig.spool.active
    await rig.spool._merge()
    assert set(await rig.refs()) == {"Disk"}


async def test_who_thought_it_away_and_comes_after_the_merge_is_sent_to_the_store(rig: Rig) -> None:
    await rig.keeps(rig.received(("Disk", "g1", True)))
    await rig.spool._merge()
    late = rig.received(("Late", "g3", True))
    assert not await rig.spool.keep(STATEFUL, late, parse(late), still=True)
    assert rig.spool.count == 0


async def test_a_merge_that_breaks_is_tried_again_and_stops_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ["once"]
    merged = rig.spool._merged

    def breaks(*given: Any) -> int:
        if broken:
            raise ValueError(broken.pop())
        return merged(*given)

    monkeypatch.setattr(rig.spool, "_merged", breaks)
    await rig.keeps(rig.received(("Disk", "g1", True)))
    running = asyncio.create_task(rig.spool.run(Lanes(rig.local, rig.clock, {}, {}, lambda _: English(), rig.meters)))
    ends = time.monotonic() + 10
    while rig.spool.active:
        assert not running.done(), running.exception()
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)
    assert not broken
    assert set(await rig.refs()) == {"Disk"}
    running.cancel()
    await asyncio.wait({running})
