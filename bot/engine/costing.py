"""The Costs port: usage from Prometheus, prices from the cloud or the configuration, OpenCost's word where it has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from bot.domain.consumption import HOUR, Readings
from bot.domain.costs import Allocated, Inventory, Peak, Place, Spend
from bot.domain.errors import PermanentError, TemporaryError, UserError, ungrouped
from bot.domain.hours import midnight
from bot.domain.money import Rates
from bot.domain.phrases import Code, Phrase, phrase
from bot.engine import costqueries as ask
from bot.engine.reckoning import Known, Sources, Usage, rates_by_cluster, reckoned
from bot.ports.clock import Clock
from bot.ports.costs import Allocations, Cloud
from bot.ports.metrics import Metrics, Series

T = TypeVar("T")
DAYS: Final = 30
FRESH: Final = timedelta(minutes=10)
"""How long an answer is given again: thirty days of hours are work for Prometheus."""
PIECE: Final = timedelta(days=5)
"""How much is asked of Prometheus at once."""
INVENTORY: Final = "[digitalocean]"


class _Answer(NamedTuple):
    """What is given again while it is fresh. ``rates``: by cluster."""

    at: datetime
    spend: Spend
    rates: Mapping[str, Rates]


class CostLedger:
    """One question at a time; whoever asks meanwhile gets the same answer."""

    def __init__(
        self, clock: Clock, known: Known, *,
        metrics: Metrics | None = None, cloud: Cloud | None = None, allocations: Allocations | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._known = clock, known
        self._metrics, self._cloud, self._allocations = metrics, cloud, allocations
        self._named = ask.naming(known.regions)
        self._asking = asyncio.Lock()
        self._found: _Answer | None = None

    async def spend(self) -> Spend:
        """See the port."""
        return (await self._fresh()).spend

    async def rates(self, cluster: str) -> Rates | None:
        """See the port."""
        return (await self._fresh()).rates.get(cluster)

    async def _fresh(self) -> _Answer:
        async with self._asking:
            now = self._clock.now()
            if self._found is None or now - self._found.at > FRESH:
                self._found = await self._asked(now)
            return self._found

    async def _asked(self, now: datetime) -> _Answer:
        if not (self._metrics or self._allocations or self._cloud):
            raise UserError(
                "Nothing tells what is used, or what it costs. Add {prometheus} and {prices}, or {opencost}.",
                prometheus=Code("[prometheus]"), prices=Code(INVENTORY), opencost=Code("[opencost]"),
            )  # fmt: skip
        first = midnight(now) - timedelta(days=DAYS)
        trouble: list[Phrase] = []
        async with asyncio.TaskGroup() as group:
            usage = group.create_task(self._tried(self._usage(first, now), "Prometheus", trouble))
            cloud = group.create_task(self._tried(self._inventory(), "DigitalOcean", trouble))
            told = group.create_task(self._tried(self._told(first, now), "OpenCost", trouble))
        if usage.result() is None and cloud.result() is None and told.result() is None:
            raise TemporaryError("nothing that knows costs answers")
        sources = Sources(
            first, now, self._known, usage.result(),
            cloud.result() or Inventory(), told.result() or (), tuple(trouble),
        )  # fmt: skip
        spend, rates = await asyncio.to_thread(lambda: (reckoned(sources), rates_by_cluster(sources)))  # takes seconds
        return _Answer(now, spend, rates)

    async def _tried(self, work: Awaitable[T | None], name: str, trouble: list[Phrase]) -> T | None:
        """What *work* finds; None, and why, where it finds nothing."""
        try:
            return await work
        except UserError as error:
            trouble.append(error.phrase)
        except (TemporaryError, PermanentError):
            trouble.append(phrase("{source} does not answer: what it knows is missing here.", source=name))
        return None

    async def _inventory(self) -> Inventory | None:
        return await self._cloud.inventory() if self._cloud else None

    async def _told(self, first: datetime, now: datetime) -> tuple[Allocated, ...] | None:
        return tuple(await self._allocations.allocations(first, now)) if self._allocations else None

    async def _usage(self, first: datetime, now: datetime) -> Usage | None:
        if self._metrics is None:
            return None
        end = now.replace(minute=0, second=0, microsecond=0)

        async def span(query: str) -> tuple[Series, ...]:
            """In pieces, one after the other: the whole at once is more than a Prometheus may hold, or do in time."""
            assert self._metrics is not None
            found: list[Series] = []
            start = first + HOUR
            while start <= end:
                found += await self._metrics.span(query, start, min(start + PIECE - HOUR, end), HOUR)
                start += PIECE
            return tuple(found)

        queries = (
            ask.CPU_ASKED, ask.CPU_USED, ask.CPU_THERE, ask.MEMORY_ASKED, ask.MEMORY_USED, ask.MEMORY_THERE,
        )  # fmt: skip
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(span(query)) for query in queries]
        cpu_asked, cpu_used, cpu_there, asked, used, there = (task.result() for task in tasks)
        named, gib = self._named, ask.GIB
        return Usage(
            Readings(ask.values(cpu_asked, named), ask.values(cpu_used, named), ask.capacities(cpu_there, named)),
            Readings(ask.values(asked, named, gib), ask.values(used, named, gib), ask.capacities(there, named, gib)),
            await self._replicas(),
        )

    async def _replicas(self) -> Mapping[Place, Peak]:
        """How many there are of each workload now, and whether an autoscaler decides it; nothing where not known."""
        assert self._metrics is not None
        try:
            replicas = await self._metrics.query(ask.REPLICAS)
            scaled = await self._metrics.query(ask.SCALED)
        except (TemporaryError, PermanentError):
            return {}
        automatic = ask.counts(scaled.samples, self._named, "scaletargetref_name")
        return {
            place: Peak(1.0, count, scaled=place in automatic)
            for place, count in ask.counts(replicas.samples, self._named, "deployment").items()
        }
