"""Delivery: makes every destination show what its cards want, each destination in a lane of its own.

Like a controller it looks at the difference, not at the history: ten changes while a destination is slow become one
edit. Pages go first. What one destination suffers (429, outage, deletion) holds up its own lane only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta

from bot.domain.cards import Place
from bot.domain.errors import TemporaryError
from bot.engine.lane import Lane
from bot.engine.meters import Meters
from bot.engine.supervise import patiently
from bot.ports.chat import Chat, WordsFor
from bot.ports.clock import Clock
from bot.ports.presenters import Presenters
from bot.ports.store import Store

log = logging.getLogger(__name__)
COUNT_EVERY = 1.0


class Delivery:
    """Opens a lane for each destination with something due."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chats: Mapping[str, Chat],
        presenters: Presenters,
        words: WordsFor,
        meters: Meters,
    ) -> None:
        self._store, self._clock, self._chats = store, clock, chats
        self._presenters, self._words, self._meters = presenters, words, meters
        self._lanes: dict[str, Lane] = {}
        self._group: asyncio.TaskGroup | None = None
        self.overdue = 0
        store.on_commit(self.wake)

    def wake(self, destinations: Iterable[str]) -> None:
        """Something changed for *destinations*; called after each commit."""
        for destination in destinations:
            lane = self._lanes.get(destination)
            if lane is not None:
                lane.wake()
            elif self._group is not None:
                self._open(self._group, destination)

    def trouble(self) -> Mapping[str, str]:
        """Destinations that can't be delivered to now, each with the reason."""
        return {name: lane.trouble for name, lane in self._lanes.items() if lane.trouble}

    async def run(self) -> None:
        """Deliver until cancelled. What was being sent is finished or stays due."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                busy = await patiently("delivery", lambda: self._store.read(lambda tx: tx.busy()), self._clock)
                for destination in busy:
                    self._open(group, destination, doubt=True)
                while True:
                    with suppress(TemporaryError):  # the store is away: the last count stands
                        await self._count()
                    await self._clock.sleep(COUNT_EVERY)
            finally:
                self._group = None

    def close(self) -> None:
        """Send nothing new from now on."""
        for lane in self._lanes.values():
            lane.close()
        self._group = None

    async def drained(self) -> None:
        """Return once nothing is being sent right now (used while shutting down)."""
        while any(lane.sending for lane in self._lanes.values()):
            await self._clock.sleep(0.02)

    def _open(self, group: asyncio.TaskGroup, destination: str, *, doubt: bool = False) -> None:
        if destination in self._lanes:
            return
        chat = self._chats.get(Place(destination).platform)
        if chat is None:
            log.error("no platform for destination", extra={"destination": destination})
            return
        self._lanes[destination] = lane = Lane(
            destination,
            chat,
            store=self._store,
            clock=self._clock,
            presenters=self._presenters,
            words=self._words,
            meters=self._meters,
            doubt=doubt,
        )
        group.create_task(lane.run(), name=f"lane {destination}")

    async def _count(self) -> None:
        now = self._clock.now()
        backlog = await self._store.read(lambda tx: tx.backlog())
        self.overdue = sum(count for count, _ in backlog.values())
        self._meters.depth.clear()
        self._meters.oldest.clear()
        for destination, (count, since) in backlog.items():
            self._meters.depth.labels(destination).set(count)
            self._meters.oldest.labels(destination).set(max(timedelta(0), now - since).total_seconds())
