"""Delivery: makes every destination show what its cards want, each destination in a lane of its own.

Like a controller it looks at the difference, not at the history: ten changes while a destination is slow become one
edit. Pages go first. What one destination suffers (429, outage, deletion) holds up its own lane only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.cards import Place
from bot.domain.errors import TemporaryError
from bot.domain.leases import CHANGED, share
from bot.domain.phrases import NOTHING, Phrase
from bot.engine.lane import Lane
from bot.engine.meters import Meters
from bot.engine.supervise import patiently
from bot.ports.chat import Chat, WordsFor
from bot.ports.clock import Clock
from bot.ports.leases import Hold
from bot.ports.presenters import Presenters
from bot.ports.store import Store

log = logging.getLogger(__name__)
COUNT_EVERY = 1.0


DRAIN = 10.0
"""Seconds that what is being sent gets when its lease is handed over."""


@dataclass
class Share:
    """The destinations of one lease that this replica holds, and where their lanes run.

    ``looked``: what an earlier owner left due is known. A lane that is woken before that may be one of those.
    """

    hold: Hold
    group: asyncio.TaskGroup
    lanes: dict[str, Lane] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    looked: bool = False

    async def drained(self, clock: Clock) -> None:
        """Start nothing more; return once nothing is being sent."""
        for lane in self.lanes.values():
            lane.close()
        while any(lane.sending for lane in self.lanes.values()):
            await clock.sleep(0.02)


class Delivery:
    """Opens a lane for each destination with something due, of those that this replica owns.

    ``shared``: other replicas write to the store, and what they tell of it may get lost. ``wary``: others
    may post the same meanwhile; how many seconds they get for a destination before it is looked for, and posted.
    """

    def __init__(  # noqa: PLR0913 - what a message passes through
        self,
        store: Store,
        clock: Clock,
        chats: Mapping[str, Chat],
        presenters: Presenters,
        words: WordsFor,
        meters: Meters,
        *,
        drain: float = DRAIN,
        shared: bool = False,
        wary: Callable[[str], float] | None = None,
    ) -> None:
        self._store, self._clock, self._chats = store, clock, chats
        self._presenters, self._words, self._meters = presenters, words, meters
        self._shares: dict[str, Share] = {}
        self._drain, self._shared, self._wary = drain, shared, wary
        self.overdue = 0
        store.on_commit(self.wake)

    def wake(self, destinations: Iterable[str]) -> None:
        """Something changed for *destinations*; called after each commit, of any replica."""
        for destination in destinations:
            found = self._shares.get(share(destination))
            if found is None:
                continue
            if lane := found.lanes.get(destination):
                lane.wake()
            elif destination != CHANGED:
                self._open(found, destination)

    def owns(self, destination: str) -> bool:
        """Whether it is delivered to from here."""
        return share(destination) in self._shares

    def trouble(self) -> Mapping[str, Phrase]:
        """Destinations that can't be delivered to now, each with the reason."""
        lanes = ((name, lane) for found in self._shares.values() for name, lane in found.lanes.items())
        return {name: lane.trouble for name, lane in lanes if lane.trouble != NOTHING}

    async def serve(self, hold: Hold) -> None:
        """Deliver to the destinations of *hold* until cancelled. What is being sent then is finished, or stays due."""
        async with asyncio.TaskGroup() as group:
            self._shares[hold.name] = found = Share(hold, group)
            try:
                busy = await patiently("delivery", lambda: self._store.read(lambda tx: tx.busy()), self._clock)
                for destination in busy:
                    if share(destination) == hold.name:
                        self._open(found, destination)
                found.looked = True
                await asyncio.Event().wait()
            finally:
                if self._shares.get(hold.name) is found:  # its lease may have come back already
                    del self._shares[hold.name]
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._drain):
                        await found.drained(self._clock)
                for lane in found.tasks:
                    lane.cancel()

    async def run(self) -> None:
        """Count what is due until cancelled; what another replica could not tell of is found on the way."""
        while True:
            with suppress(TemporaryError):  # the store is away: the last count stands
                await self._count()
            await self._clock.sleep(COUNT_EVERY)

    def _open(self, found: Share, destination: str) -> None:
        if destination in found.lanes:
            return
        chat = self._chats.get(Place(destination).platform)
        if chat is None:
            log.error("no platform for destination", extra={"destination": destination})
            return
        found.lanes[destination] = lane = Lane(
            destination,
            chat,
            store=self._store,
            clock=self._clock,
            presenters=self._presenters,
            words=self._words,
            meters=self._meters,
            doubt=not found.looked,
            hold=found.hold,
            wary=self._wary(destination) if self._wary else None,
        )
        found.tasks.append(found.group.create_task(lane.run(), name=f"lane {destination}"))

    async def _count(self) -> None:
        now = self._clock.now()
        backlog = await self._store.read(lambda tx: tx.backlog())
        self.overdue = sum(count for count, _ in backlog.values())
        self._meters.depth.clear()
        self._meters.oldest.clear()
        for destination, (count, since) in backlog.items():
            self._meters.depth.labels(destination).set(count)
            self._meters.oldest.labels(destination).set(max(timedelta(0), now - since).total_seconds())
        if self._shared:
            self.wake(backlog)
