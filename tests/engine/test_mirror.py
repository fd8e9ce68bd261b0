"""The mirror: what another replica delivers reaches this one's pages, also when nobody told of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.cards import Place, Wish
from bot.domain.leases import CHANGED
from bot.domain.messages import Message
from bot.domain.phrases import phrase
from bot.engine.mirror import Mirror
from bot.ports.console import Update
from bot.ports.presenters import Presenter
from tests.domain.builders import NOON
from tests.migrated import sqlite_store

OPS = "console:ops"
PATIENCE = 10.0


@dataclass
class Pages:
    """One page that is open."""

    told: list[Update] = field(default_factory=list)
    pages: int = 1

    def send(self, update: Update) -> None:
        self.told.append(update)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(sqlite_store(tmp_path)) as opened:
        yield opened


async def becomes(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)


async def test_what_was_not_heard_of_is_looked_for_once_somebody_listens_again(store: SqlStore) -> None:
    pages, mine = Pages(), {OPS}
    presenters = {"note": Presenter(lambda _tx, ident: ident, lambda ident: Message(phrase("{it}", it=ident)))}
    mirror = Mirror(store, SystemClock(), presenters, pages, owns=mine.__contains__, shown=(OPS, "console:anna"))
    running = asyncio.create_task(mirror.run())
    await store.write(lambda tx: tx.show(Wish("note:one", Place(OPS)), NOON))  # heard, and this replica's own then
    mine.clear()  # the lease is another's, who delivers it
    store._writer.hear(frozenset({CHANGED}))
    await becomes(lambda: bool(pages.told))
    assert [(each.subject, each.destination) for each in pages.told] == [("note:one", OPS)]
    running.cancel()
    await asyncio.wait({running})
