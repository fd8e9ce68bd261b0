"""What other systems know of an alert: its trend and what its clusters say was changed, both asked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.alerts import Group
from bot.domain.breakers import AFTER
from bot.domain.changes import ClusterChange, NodeTurned, Synced, SyncState
from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Graph, Message
from bot.domain.phrases import Phrase, phrase
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.guard import Guard
from bot.ports.metrics import Metrics
from handlers.cards import alert, changes, suspects, trend

PATIENCE = 0.8
"""Seconds: a card waits one (bot/engine/lane.py), and is still to be drawn."""
FRESH = timedelta(seconds=10)
"""So long an answer serves the other cards of the same service: one alert has a card in each chat, a storm has many."""
WIDELY = timedelta(hours=2)
"""At least so far back is asked, so that one answer serves alerts that began at different times."""
REMEMBERED = timedelta(minutes=50)
"""Servers forget events after an hour. What is older than this stays known from the answers before."""
FORGOTTEN, KEPT = timedelta(days=1), 100
"""How long, and how many of one workload, at most."""


@dataclass(frozen=True)
class Told:
    """``clusters``: by where it was asked. ``silent``: what did not answer, in words."""

    graph: Graph | None
    clusters: Mapping[Environment, tuple[ClusterChange, ...]]
    silent: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class Known:
    """The answer for one environment: of when, and how far it reaches back."""

    at: datetime
    since: datetime
    facts: tuple[ClusterChange, ...]


class Surroundings:
    """``regions``: of each cluster, by its name. One for all chats: what it learned for one card serves the next."""

    def __init__(
        self,
        clock: Clock,
        guard: Guard,
        *,
        metrics: Metrics | None,
        cluster: Cluster,
        services: Catalogue,
        regions: Mapping[str, str],
    ) -> None:
        self._clock, self._guard = clock, guard
        self._metrics, self._cluster, self._services, self._regions = metrics, cluster, services, regions
        self._known: dict[Environment, Known] = {}
        self._asking: dict[Environment, asyncio.Lock] = {}

    async def enrich(self, seen: alert.Seen, message: Message) -> Message:
        """*message*, the card of *seen*, with what could be learned in time; what could not is asked for again."""
        told = await self.told(seen.group)
        return replace(self.drawn(seen, message, told), again=AFTER if told.silent else 0.0)

    async def told(self, group: Group) -> Told:
        """Ask everything at once; each may fail alone."""
        now = self._clock.now()
        places = where(self._services.find(group.service), group, self._regions)
        async with asyncio.TaskGroup() as tasks:
            graph = tasks.create_task(self._trend(group, now))
            asked = {place: tasks.create_task(self._changes(place, group, now)) for place in places}
        found = {place: task.result() for place, task in asked.items()}
        silent = [answer for _, answer in (graph.result(), *found.values()) if answer]
        return Told(graph.result()[0], {place: facts for place, (facts, _) in found.items()}, tuple(silent))

    def drawn(self, seen: alert.Seen, message: Message, told: Told) -> Message:
        """The card with what was *told*."""
        if any(told.clusters.values()):
            known = suspects.Known(seen.changes, seen.versions)
            found = seen.suspect or suspects.rolled(self._services, seen.group, told.clusters, known)
            message = alert.draw(seen.group, changes.merged(seen.changes, told.clusters, seen.versions), found)
        return trend.placed(message, told.graph, self._clock.now()) if told.graph else message

    async def _trend(self, group: Group, now: datetime) -> tuple[Graph | None, Phrase | None]:
        metrics = self._metrics
        if metrics is None:
            return None, None
        try:
            return await self._guard.ask("prometheus", lambda: trend.trend(metrics, group, now), PATIENCE), None
        except UserError:
            return None, None
        except TemporaryError:
            return None, phrase("The trend is not known: Prometheus does not answer.")

    async def _changes(
        self, place: Environment, group: Group, now: datetime
    ) -> tuple[tuple[ClusterChange, ...], Phrase | None]:
        """What is known of *place* around *group*; also from before, when it does not answer."""
        since, silent = group.opened_at - changes.BEFORE, None
        async with self._asking.setdefault(place, asyncio.Lock()):
            known = self._known.get(place)
            if known is None or now - known.at >= FRESH or known.since > since:
                try:
                    known = self._known[place] = await self._asked(place, min(since, now - WIDELY), known)
                except TemporaryError:
                    silent = phrase(
                        "What {cluster} itself changed is not known: it does not answer.", cluster=place.cluster
                    )
        facts = known.facts if known else ()
        return tuple(fact for fact in facts if changes.near(group, fact.at)), silent

    async def _asked(self, place: Environment, since: datetime, known: Known | None) -> Known:
        try:
            facts = await self._guard.ask(
                f"kubernetes {place.cluster}", lambda: self._cluster.changes(place, since), PATIENCE
            )
        except UserError:  # no such workload, or pult may not look at it: it will not be otherwise in ten seconds
            facts = ()
        now = self._clock.now()
        return Known(now, since, remembered(known.facts if known else (), facts, now))


def remembered(
    before: Iterable[ClusterChange], told: Iterable[ClusterChange], now: datetime
) -> tuple[ClusterChange, ...]:
    """*told*, and of what was told before that which the server has begun to forget; the newest KEPT."""
    found = {_key(fact): fact for fact in before if now - FORGOTTEN < fact.at < now - REMEMBERED and _lasting(fact)}
    found |= {_key(fact): fact for fact in told}
    return tuple(sorted(found.values(), key=lambda fact: fact.at)[-KEPT:])


def where(service: Service | None, group: Group, regions: Mapping[str, str]) -> tuple[Environment, ...]:
    """Where the service of *group* runs, as far as its labels tell: by namespace, by cluster or region."""
    if service is None:
        return ()
    staged = [place for place in service.environments if place.namespace == group.common("namespace")]
    labels = {group.common("cluster"), group.common("region")} - {""}
    named = {name for name, region in regions.items() if labels & {name, region}}
    places = {place.cluster: place for place in reversed(staged or service.production)}
    if not staged or staged[0].namespace == service.namespace:
        # One file may be applied in every cluster; then only one of them is named as an environment.
        first = service.production[0]
        places = {name: replace(first, cluster=name) for name in service.clusters} | places
    return tuple(place for name, place in places.items() if not named or name in named)


def _key(fact: ClusterChange) -> tuple[object, ...]:
    return type(fact), fact.at, fact.node if isinstance(fact, NodeTurned) else ""


def _lasting(fact: ClusterChange) -> bool:
    return not (isinstance(fact, Synced) and fact.state is SyncState.RUNNING)
