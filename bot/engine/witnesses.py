"""Witnesses: each independent view of a region asked at once; one that can't answer does not vote."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from bot.domain.errors import PultError
from bot.domain.failover import Sight, Witness
from bot.ports.metrics import Metrics
from bot.ports.probe import Probe

DEADLINE = 5.0
Reach = Callable[[str], Awaitable[str]]
"""The version of a cluster's API server, by the cluster's name; raises when it does not answer."""


class Panel:
    """All witnesses of one failover."""

    def __init__(self, witnesses: tuple[Witness, ...], metrics: Metrics | None, probe: Probe, reach: Reach) -> None:
        self._witnesses, self._metrics, self._probe, self._reach = witnesses, metrics, probe, reach

    async def ask(self) -> Mapping[str, Sight]:
        """Every witness's sight by its name, within DEADLINE."""
        async with asyncio.TaskGroup() as group:
            tasks = {witness.name: group.create_task(self._one(witness)) for witness in self._witnesses}
        return {name: task.result() for name, task in tasks.items()}

    async def _one(self, witness: Witness) -> Sight:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._look(witness)
        except TimeoutError:
            return Sight.UNKNOWN if witness.query else Sight.LOST
        except PultError:
            return Sight.LOST if witness.cluster else Sight.UNKNOWN

    async def _look(self, witness: Witness) -> Sight:
        if witness.cluster:
            await self._reach(witness.cluster)
            return Sight.UP
        if witness.url:
            return Sight.UP if await self._probe(witness.url) else Sight.LOST
        return await self._measured(witness.query)

    async def _measured(self, query: str) -> Sight:
        if self._metrics is None:
            return Sight.UNKNOWN
        values = [sample.value for sample in (await self._metrics.query(query)).samples]
        if not values or any(math.isnan(value) for value in values):
            return Sight.UNKNOWN
        return Sight.LOST if all(value == 0 for value in values) else Sight.UP


def measured(metrics: Metrics | None, query: str) -> Callable[[], Coroutine[Any, Any, float | None]]:
    """A reader of one number: None when there is no answer, no sample, or NaN."""

    async def read() -> float | None:
        if metrics is None:
            return None
        try:
            samples = (await metrics.query(query)).samples
        except PultError:
            return None
        value = samples[0].value if len(samples) == 1 else math.nan
        return None if math.isnan(value) else value

    return read
