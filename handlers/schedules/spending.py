"""What a digest asks about error budgets: where they stand, where they stood at the last one, and what ate them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.invariants import Budget
from bot.domain.slo import Slo, Standing
from bot.ports.clock import Clock
from bot.ports.store import Tx
from handlers.cards import budget
from handlers.cards.eaten import Story, Teller
from handlers.cards.spending import Spent

TRIES, PAUSE = 4, 5.0
"""Nobody waits for a digest: what Prometheus has not told in time is asked for again after so many seconds."""
AT_ONCE = 4
"""Budgets whose past is asked for at the same time: each is a question over the whole window."""


@dataclass(frozen=True)
class Spending:
    """*slos* and whom to ask about them."""

    teller: Teller
    clock: Clock
    slos: tuple[Slo, ...]

    async def told(self, name: str, since: datetime) -> Spent:
        """Everything for the digest *name*, which was sent last at *since*."""
        before = await self.teller.store.read(lambda tx: tx.mark(_mark(name))) or {}
        found = sorted(await self._standings(), key=budget.urgency)
        stories = await self._stories(found, since)
        known = {item.slo: before.get(_key(item)) for item in found}
        return Spent(tuple(found), known, stories, since, self.clock.now())

    def remember(self, tx: Tx, name: str, told: Spent) -> None:
        """Where they stood, for the next digest *name*."""
        tx.put_mark(_mark(name), {_key(item): item.left for item in told.found})

    async def _standings(self) -> Sequence[Budget]:
        found = await self.teller.budgets.standings(self.slos)
        for _ in range(TRIES - 1):
            if not any(map(budget.late, found)):
                break
            await self.clock.sleep(PAUSE)
            found = await self.teller.budgets.standings(self.slos)
        return found

    async def _stories(self, found: Sequence[Budget], since: datetime) -> tuple[tuple[Standing, Story], ...]:
        """Of all that have a budget which is known, in their order."""
        items = [item for item in found if isinstance(item, Standing) and item.left is not None]
        stories: dict[Slo, Story] = {}
        for attempt in range(TRIES):
            left = [item for item in items if item.slo not in stories or stories[item.slo].past.since is None]
            if left and attempt:
                await self.clock.sleep(PAUSE)
            stories.update(await self._asked(left, since))
        return tuple((item, stories[item.slo]) for item in items)

    async def _asked(self, items: Sequence[Standing], since: datetime) -> Mapping[Slo, Story]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(item: Standing) -> Story:
            async with turns:
                return await self.teller.story(item, self.clock.now(), since)

        async with asyncio.TaskGroup() as group:
            tasks = {item.slo: group.create_task(one(item)) for item in items}
        return {slo: task.result() for slo, task in tasks.items()}


def _mark(name: str) -> str:
    return f"{name} budgets"


def _key(item: Budget) -> str:
    """An SLO whose promise was changed has a budget of another size: no change can be told."""
    slo = item.slo
    return f"{slo.service}/{slo.name} {slo.objective} {int(slo.window.total_seconds())}"
