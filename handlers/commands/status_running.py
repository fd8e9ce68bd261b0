"""What runs where, and why it is not well: the part of ``status`` that the clusters tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from bot.domain.errors import PultError
from bot.domain.phrases import Phrase, in_line, phrase, verbatim
from bot.domain.services import Environment, Service
from bot.ports.cluster import Cluster, Rollout, Workload
from bot.ports.diagnoses import Diagnoses, Diagnosis
from bot.ports.jobs import Jobs
from handlers.commands import pods_jobs
from handlers.commands.pods_asked import diagnosed
from handlers.commands.pods_words import lines, versions
from handlers.commands.vitals import Fact

PATIENCE: Final = 6.0
"""Seconds for one workload; the first question of all loads a library, which takes a busy machine some of them."""
EXAMINED: Final = 6
"""Workloads that are not well of which is asked why; ``status`` of one service tells of all of its own."""


@dataclass(frozen=True)
class Runs:
    """``facts``: a line for each service. ``why`` some of it is not as it should be. ``well``: all is, and is known."""

    facts: tuple[Fact, ...]
    why: tuple[Phrase, ...]
    well: bool


@dataclass(frozen=True)
class Running:
    """The workloads are read first, which is quick; their pods only where something is not as it should be."""

    cluster: Cluster
    diagnoses: Diagnoses
    jobs: Jobs

    async def every(self, services: Iterable[Service]) -> Runs:
        """All services; of those that are not well the first few are examined."""
        every = tuple(services)
        found = await self._rollouts(every)
        ill = [place for service in every for place in service.production if _ill(found[service.name, place])]
        return await self._runs(every, found, ill[:EXAMINED])

    async def of(self, service: Service) -> Runs:
        """One service, examined even if all its pods are ready: an autoscaler or a node may be at its end."""
        async with asyncio.TaskGroup() as group:
            batch = group.create_task(pods_jobs.told(self.jobs, service, service.production, every=False))
            runs = group.create_task(self._examined(service))
        told = tuple(
            phrase("{service} in {cluster}: {why}", service=service.name, cluster=place.cluster, why=line)
            for place, lines_ in batch.result().items()
            for line in lines_
        )
        found = runs.result()
        return replace(found, why=(*found.why, *told), well=found.well and not told)

    async def _examined(self, service: Service) -> Runs:
        return await self._runs((service,), await self._rollouts((service,)), service.production)

    async def _runs(
        self, services: tuple[Service, ...], found: dict[tuple[str, Environment], Rollout | None],
        ill: Iterable[Environment],
    ) -> Runs:  # fmt: skip
        names = {place: name for name, place in found}
        heard = await diagnosed(self.diagnoses, [place for place in ill if found[names[place], place] is not None])
        why = tuple(line for place, told in heard for line in _why(names[place], place, told))
        facts = tuple((verbatim(each.name), _fact(each, found)) for each in services)
        return Runs(facts, why, not why and all(one is not None and not _ill(one) for one in found.values()))

    async def _rollouts(self, services: Iterable[Service]) -> dict[tuple[str, Environment], Rollout | None]:
        async with asyncio.TaskGroup() as group:
            tasks = {
                (service.name, place): group.create_task(self._rollout(place))
                for service in services
                for place in service.production
            }
        return {key: task.result() for key, task in tasks.items()}

    async def _rollout(self, place: Environment) -> Rollout | None:
        """None: it is not known."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.cluster.rollout(Workload.of(place))
        except (PultError, TimeoutError):
            return None


def _ill(rollout: Rollout | None) -> bool:
    return rollout is not None and (rollout.ready < rollout.desired or rollout.stuck is not None)


def _fact(service: Service, found: dict[tuple[str, Environment], Rollout | None]) -> Phrase:
    """How many are ready in each cluster."""
    return in_line(_count(place, found[service.name, place]) for place in service.production)


def _count(place: Environment, rollout: Rollout | None) -> Phrase:
    if rollout is None:
        return phrase("{cluster} unknown", cluster=place.cluster)
    said = phrase("{cluster} {ready}/{desired}", cluster=place.cluster, ready=rollout.ready, desired=rollout.desired)
    if rollout.done or rollout.updated >= rollout.desired:
        return said
    return phrase("{said} ({updated} of the new version)", said=said, updated=rollout.updated)


def _why(service: str, place: Environment, told: Diagnosis | Phrase) -> Iterator[Phrase]:
    if isinstance(told, Phrase):
        yield told
        return
    for line in (*versions(told.versions), *lines(told)):
        yield phrase("{service} in {cluster}: {why}", service=service, cluster=place.cluster, why=line)
