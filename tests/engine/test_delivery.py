"""Delivery: which destinations get a lane here, and how careful it begins; real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.cards import Card, Place, Ref, Wish
from bot.domain.leases import share, shares
from bot.domain.messages import Message
from bot.domain.phrases import English, phrase
from bot.engine.delivery import Delivery
from bot.engine.meters import Meters
from bot.engine.ownership import Sole
from bot.ports.presenters import Presenter
from bot.ports.store import Tx

T = TypeVar("T")
HERE = "slack:C0INC"


@dataclass
class Slow:
    """The store; a read ends when it is let go."""

    store: SqlStore
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, work: Callable[[Tx], T]) -> T:
        found = await self.store.read(work)
        await self.go.wait()
        return found

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self.store.write(work)

    def on_commit(self, hear: Callable[[frozenset[str]], None]) -> None:
        self.store.on_commit(hear)


@dataclass
class Chat:
    """Finds everything that was wanted before; notes what is posted nevertheless."""

    posted: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    platform = "slack"

    @property
    def pace(self) -> Chat:
        return self

    def interval(self, destination: str) -> float:
        return 0.0

    def burst(self, destination: str) -> int:
        return 1

    async def post(self, card: Card, message: Message, words: English) -> Ref:
        self.posted.append(card.subject)
        return Ref("C0INC", card.subject)

    async def edit(self, card: Card, ref: Ref, message: Message, words: English) -> Ref:
        self.found.append(card.subject)
        return ref

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        return {f"alert:left@{HERE}": Ref("C0INC", "stands there")}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as opened:
        yield opened


def delivery(store: Slow | SqlStore, chat: Chat) -> Delivery:
    say = Presenter(lambda _tx, ident: ident, lambda ident: Message(phrase("{x}", x=ident)))
    return Delivery(store, SystemClock(), {"slack": chat}, {"alert": say}, lambda _: English(), Meters("test"))  # type: ignore[dict-item]


async def test_a_lane_that_is_woken_before_it_is_known_what_was_left_looks_before_it_posts(store: SqlStore) -> None:
    slow, chat = Slow(store), Chat()
    lanes = delivery(slow, chat)
    await store.write(lambda tx: tx.show(Wish("alert:left", Place(HERE)), SystemClock().now()))
    task = asyncio.create_task(lanes.serve(Sole(share(HERE))))
    while not lanes.owns(HERE):
        await asyncio.sleep(0.005)
    lanes.wake([HERE])
    slow.go.set()
    async with asyncio.timeout(20):
        while not chat.found:
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait({task})
    assert (chat.posted, chat.found) == ([], ["alert:left"])


async def test_only_what_is_owned_is_delivered(store: SqlStore) -> None:
    chat = Chat()
    lanes = delivery(store, chat)
    other = next(name for name in shares() if name != share(HERE))
    elsewhere = next(f"slack:C{n}" for n in range(999) if share(f"slack:C{n}") == other)
    task = asyncio.create_task(lanes.serve(Sole(other)))
    while not lanes.owns(elsewhere):
        await asyncio.sleep(0.005)
    now = SystemClock().now()
    await store.write(lambda tx: tx.show(Wish("alert:mine", Place(elsewhere)), now))
    await store.write(lambda tx: tx.show(Wish("alert:not", Place(HERE)), now))
    async with asyncio.timeout(20):
        while await store.read(lambda tx: tx.due(elsewhere, SystemClock().now())):
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait({task})
    assert chat.posted == ["alert:mine"]
    assert not lanes.owns(elsewhere)
