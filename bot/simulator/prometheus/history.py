"""The world as the metrics saw it: one timeline for each service and region, one step function for each gauge."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.faults import REGIONS, SERVICES
from bot.simulator.kubernetes import images
from bot.simulator.prometheus.profiles import PROFILES
from bot.simulator.prometheus.timeline import Condition, Steps, Timeline
from bot.simulator.world import World

DEPTH: Final = timedelta(days=60)
"""How far back the metrics reach."""
STANDBY_SHARE: Final = 0.02
"""Traffic of the region users do not reach: health checks and probes."""
INCIDENTS: Final = (
    # service, days ago, minutes, share of failed requests, slowness
    ("api", 2.6, 40.0, 0.02, 1.6),
    ("api", 11.2, 12.0, 0.015, 1.0),
    ("worker", 8.5, 25.0, 0.04, 1.0),
    ("bots", 5.1, 90.0, 0.006, 2.5),
)
"""All in the primary region; together they eat a part of the 30-day budgets, not the whole."""
LAG_KEPT: Final = timedelta(hours=6)
_PRODUCTION: Final = "production"


class History:
    """Watches the world; `look` must be called often, and is called before every question."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.born = (world.clock.now() - DEPTH).timestamp()
        self._seen = world.clock.now()
        self._sound: dict[tuple[datetime, str, str], str] = {}
        self.timelines = {
            (service, region): Timeline(PROFILES[service], self.born, self._usual(region))
            for service in SERVICES
            for region in REGIONS
        }
        self._relive_past()
        self.lag = Steps(self._from_birth(_usual_lag))
        self.reachable = {region: Steps(self._from_birth(lambda _: 1.0)) for region in REGIONS}
        places = [(service, region) for service in SERVICES for region in REGIONS]
        self.restarts = {place: Steps(self._from_birth(lambda _: 0.0)) for place in places}
        self.ready = {place: Steps(self._from_birth(lambda _: None)) for place in places}

    def look(self) -> None:
        """Note what changed since the last look; faults are noted at the very moment they began or ended."""
        now = self._world.clock.now()
        for moment in [*self._turns(now), now]:
            for (service, region), timeline in self.timelines.items():
                timeline.change(moment.timestamp(), self._condition(service, region, moment))
            for region, steps in self.reachable.items():
                down = self._world.faults.at("region_down", region, moment)
                steps.note(moment.timestamp(), 0.0 if down else 1.0)
        self._look_at_pods(now.timestamp())
        self._look_at_database(now)
        self._seen = now

    def _turns(self, now: datetime) -> list[datetime]:
        """Moments from the last look on at which a fault began or ended, in order."""
        edges = {edge for fault in self._world.faults.history for edge in (fault.since, fault.until) if edge}
        return sorted(edge for edge in edges if self._seen <= edge < now)

    def _condition(self, service: str, region: str, moment: datetime) -> Condition:
        world = self._world
        dead = world.faults.at("region_down", region, moment) is not None
        ready = world.clusters.ready(region, _PRODUCTION, service) if world.clusters else 1
        latency = world.faults.at("latency", service, moment)
        return Condition(
            share=1.0 if self._traffic() == region else STANDBY_SHARE,
            failing=max(self._troubles(service, region, moment)),
            slowness=latency.value if latency else 1.0,
            alive=not dead and ready > 0,
        )

    def _troubles(self, service: str, region: str, moment: datetime) -> Iterator[float]:
        """Shares of failing requests, by every cause."""
        yield 0.0
        errors = self._world.faults.at("errors", service, moment)
        if errors:
            yield errors.value
        yield self._cut_off(service, region)
        image = self._world.clusters.image(region, _PRODUCTION, service) if self._world.clusters else ""
        if images.bad(service, image):
            yield images.BAD_RATIO
        bad = self._world.faults.at("bad_release", service, moment)
        # What ran when the fault began is sound; whatever is rolled out after it is not.
        if bad and self._sound.setdefault((bad.since, service, region), image) != image:
            yield bad.value

    def _cut_off(self, service: str, region: str) -> float:
        """Share of the pods whose database, as they were told of it at their start, takes no writes now."""
        clusters, cloud = self._world.clusters, self._world.cloud
        hosts = clusters.databases(region, _PRODUCTION, service) if clusters else ()
        if not hosts or cloud is None:
            return 0.0
        return sum(not cloud.accepts(host) for host in hosts) / len(hosts)

    def _usual(self, region: str) -> Condition:
        return Condition(share=1.0 if region == REGIONS[0] else STANDBY_SHARE)

    def _traffic(self) -> str:
        return self._world.cloud.traffic() if self._world.cloud else REGIONS[0]

    def _relive_past(self) -> None:
        now = self._world.clock.now()
        for service, days, minutes, failing, slowness in sorted(INCIDENTS, key=lambda one: -one[1]):
            timeline = self.timelines[service, REGIONS[0]]
            start = (now - timedelta(days=days)).timestamp()
            timeline.change(start, Condition(1.0, failing, slowness))
            timeline.change(start + minutes * 60, self._usual(REGIONS[0]))

    def _look_at_pods(self, at: float) -> None:
        clusters = self._world.clusters
        if clusters is None:
            return
        for (service, region), steps in self.restarts.items():
            steps.note(at, float(clusters.restarts(region, _PRODUCTION, service)))
            self.ready[service, region].note(at, float(clusters.ready(region, _PRODUCTION, service)))

    def _look_at_database(self, now: datetime) -> None:
        if self._world.cloud is not None:
            self.lag.note(now.timestamp(), self._world.cloud.lag)
            self.lag.forget((now - LAG_KEPT).timestamp())

    def _from_birth(self, read: Callable[[float], float | None]) -> Callable[[float], float | None]:
        return lambda at: read(at) if at >= self.born else None


def _usual_lag(at: float) -> float:
    return round(0.4 * (1 + 0.25 * math.sin(at / 30)), 3)
