"""Witnesses: each independent view of a region asked at once; one that can't answer does not vote."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from bot.domain.errors import PultError, RateLimitedError, TemporaryError
from bot.domain.failover import Sight, Witness
from bot.ports.metrics import Metrics
from bot.ports.probe import Probe

log = logging.getLogger(__name__)
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
        except RateLimitedError:  # it does answer, only not this
            return Sight.UNKNOWN
        except (TimeoutError, TemporaryError):
            return Sight.UNKNOWN if witness.query else Sight.LOST
        except Exception as error:  # noqa: BLE001 - a refusal or a mistake of ours says nothing of the region
            log.warning("witness can't say", extra={"witness": witness.name, "why": repr(error)})
            return Sight.UNKNOWN

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
        reading = await self._metrics.query(query)
        values = [sample.value for sample in reading.samples]
        if not values or any(math.isnan(value) for value in values):
            return Sight.UNKNOWN
        if any(values):
            return Sight.UP
        return Sight.UNKNOWN if reading.warnings else Sight.LOST  # zeros of partial data are no vote (promise 14)


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
