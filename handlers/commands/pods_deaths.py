"""What is known of a death besides the cluster's own word: the memory before it, and the last lines written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.phrases import Phrase, Quantity, phrase
from bot.domain.quantities import MIB
from bot.domain.services import Environment
from bot.ports.diagnoses import Cohort, Diagnosis, Killed
from bot.ports.logs import Line, Logs, Wanted
from bot.ports.metrics import Metrics, Sample

T = TypeVar("T")
PATIENCE: Final = 1.0
"""Seconds: an answer goes without rather than late."""
BEFORE: Final = timedelta(minutes=10)
"""How long before a kill its memory is looked at."""
LAST: Final = timedelta(hours=1)
LINES: Final = 5
AHEAD: Final = timedelta(seconds=10)
"""What was written this second counts, too: nobody asks on from here."""


@dataclass(frozen=True)
class Epitaph:
    """``memory``: what the container had used. ``lines``: its last, oldest first; ``pod`` wrote them."""

    memory: Phrase | None = None
    pod: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Deaths:
    """``metrics`` is None where no Prometheus is configured. ``regions``: by cluster, as its series are labelled."""

    logs: Logs
    metrics: Metrics | None
    regions: Mapping[str, str]

    async def of(self, place: Environment, diagnosis: Diagnosis, now: datetime) -> Epitaph:
        """Of the worst cohort that has one. Nothing here raises: what does not come in time is left out."""
        killed = next((each.killed for each in diagnosis.cohorts if each.killed), None)
        died = next((each for each in diagnosis.cohorts if each.died), None)
        async with asyncio.TaskGroup() as group:
            memory = group.create_task(self._memory(place, killed, now))
            lines = group.create_task(self._lines(place, died, now))
        return Epitaph(memory.result(), died.names[0] if died else "", lines.result())

    async def _memory(self, place: Environment, killed: Killed | None, now: datetime) -> Phrase | None:
        if killed is None or killed.limit is None or self.metrics is None:
            return None
        reading = await _tried(self.metrics.query(peak(place, killed), killed.at or now))
        mine = [each.value for each in reading.samples if self._mine(each, place)] if reading else []
        highest = max((value for value in mine if value > 0), default=None)
        if highest is None:
            return None
        return phrase(
            "{container} had used up to {used} of its {limit} before it was killed", container=killed.container,
            used=Quantity(highest / MIB, "MiB", 0), limit=Quantity(killed.limit / MIB, "MiB", 0),
        )  # fmt: skip

    async def _lines(self, place: Environment, died: Cohort | None, now: datetime) -> tuple[Line, ...]:
        if died is None:
            return ()
        wanted = Wanted(now - LAST, now + AHEAD, pod=died.names[0], previous=True, limit=LINES)
        found = await _tried(self.logs.lines(place, wanted))
        return found.lines[-LINES:] if found else ()

    def _mine(self, sample: Sample, place: Environment) -> bool:
        """A label that is not there contradicts nothing."""
        region = self.regions.get(place.cluster, place.cluster)
        return sample.labels.get("cluster", place.cluster) in {place.cluster, region} and (
            sample.labels.get("region", region) == region
        )


def peak(place: Environment, killed: Killed) -> str:
    """The most that a container held, in bytes. What a kill counts is the working set: kubernetes.io, node-pressure."""
    where = f'namespace="{place.namespace}",pod="{killed.pod}",container="{killed.container}"'
    seconds = int(BEFORE.total_seconds())
    return f"max by (region, cluster) (max_over_time(container_memory_working_set_bytes{{{where}}}[{seconds}s]))"


async def _tried(work: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await work
    except (UserError, TemporaryError, PermanentError, TimeoutError):
        return None
