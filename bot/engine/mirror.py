"""The mirror: pages of this replica's console see what another replica delivers there.

A console's destinations have one owner as all others do, but each replica has its own open pages. What changes there is
drawn here, too, where anybody looks: the state is the store's, so nothing needs to travel but that it changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from bot.domain.cards import Card
from bot.domain.leases import CHANGED
from bot.domain.messages import Message
from bot.ports.clock import Clock
from bot.ports.console import Update
from bot.ports.presenters import Presenters
from bot.ports.store import Store, Tx

CONSOLE: Final = "console:"
LATEST: Final = 50
"""Cards of one destination that are looked at: as many as a page shows when it opens."""
PAUSE: Final = 0.1
"""Seconds in which several changes become one look."""


class Pages(Protocol):
    """The console's hub, as it is told."""

    @property
    def pages(self) -> int: ...
    def send(self, update: Update) -> None: ...


class Mirror:
    """``owns``: whether this replica delivers to a destination itself. ``shown``: the destinations that pages show."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        presenters: Presenters,
        pages: Pages,
        *,
        owns: Callable[[str], bool],
        shown: Iterable[str],
    ) -> None:
        self._store, self._clock, self._presenters, self._pages, self._owns = store, clock, presenters, pages, owns
        self._shown = frozenset(shown)
        self._touched: set[str] = set()
        self._news = asyncio.Event()
        self._told: dict[tuple[str, str], int] = {}
        store.on_commit(self._hear)

    async def run(self) -> None:
        """Tell pages until cancelled."""
        while True:
            await self._news.wait()
            await self._clock.sleep(PAUSE)
            self._news.clear()
            touched, self._touched = self._touched, set()
            for destination in touched:
                await self._tell(destination)

    def _hear(self, touched: frozenset[str]) -> None:
        if not self._pages.pages:
            self._told.clear()
            return
        # A lease that moves takes along what was not shown yet, and what was told while nobody listened is lost: all is
        # looked at then.
        looked = touched | self._shown if CHANGED in touched else touched
        found = {each for each in looked if each.startswith(CONSOLE) and not self._owns(each)}
        if found:
            self._touched |= found
            self._news.set()

    async def _tell(self, destination: str) -> None:
        for card, message in await self._store.read(lambda tx: self._changed(tx, destination)):
            self._told[card.subject, destination] = card.wanted
            place = card.place
            self._pages.send(
                Update(card.subject, place.destination, card.wanted, card.changed_at, message, place.private_to)
            )

    def _changed(self, tx: Tx, destination: str) -> list[tuple[Card, Message]]:
        """A page leaves out what it shows already, so telling too much is only work."""
        found: list[tuple[Card, Message]] = []
        for card in tx.latest_cards(destination, LATEST):
            if self._told.get((card.subject, destination)) == card.wanted:
                continue
            presenter = self._presenters[card.kind]
            if (state := presenter.load(tx, card.ident)) is not None:
                found.append((card, presenter.draw(state)))
        return found
