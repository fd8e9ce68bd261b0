"""From what was asked for and used, hour by hour, to what it cost: max(asked, used) × price, idle and waste apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Final, NamedTuple, TypeVar

from bot.domain.costs import Kind, Line, Place
from bot.domain.money import Rates

K = TypeVar("K")
HOUR: Final = timedelta(hours=1)
ENOUGH: Final = 0.75
"""Share of a day's hours that must be known for the day to count; the rest is taken to be like them."""
WEEK: Final = timedelta(days=7)

Values = Mapping[Place, Mapping[datetime, float]]
"""Cores or GiB of each workload at each hour; an hour that is missing or not finite is not known."""
NOTHING: Final[Mapping[datetime, float]] = {}
Capacity = Mapping[str, Mapping[datetime, float]]
"""The same of each cluster's machines together."""


@dataclass(frozen=True)
class Readings:
    """One resource (processor in cores, or memory in GiB) over time."""

    asked: Values
    used: Values
    capacity: Capacity


class Share(NamedTuple):
    """Of a claim: what was ``used``, and what was asked for beyond it (``waste``)."""

    used: float
    waste: float

    @property
    def claimed(self) -> float:
        return self.used + self.waste


def shares(claims: Mapping[K, tuple[float, float]], capacity: float | None) -> tuple[dict[K, Share], float | None]:
    """What each of *claims* (asked, used) takes of *capacity*, and what nobody takes; None when that is not known.

    A claim is the larger of both. Where the claims are more than there is, since some ask and others use, all take
    less in proportion: nobody pays for a machine that does not exist.
    """
    claimed = {key: max(asked, used) for key, (asked, used) in claims.items()}
    together = sum(claimed.values())
    factor = min(1.0, capacity / together) if capacity is not None and together > 0 else 1.0
    taken = {key: Share(used * factor, (claimed[key] - used) * factor) for key, (_, used) in claims.items()}
    return taken, None if capacity is None else max(0.0, capacity - together * factor)


@dataclass
class Tally:
    """Resource-hours of one cluster on one day; only whole hours of which everything is known are in them."""

    hours: int = 0
    known: int = 0
    cpu: dict[Place, Share] = field(default_factory=dict)
    memory: dict[Place, Share] = field(default_factory=dict)
    idle: tuple[float, float] | None = (0.0, 0.0)

    @property
    def enough(self) -> bool:
        return self.hours > 0 and self.known >= ENOUGH * self.hours

    @property
    def scale(self) -> float:
        """By what hours that are not known are filled up."""
        return self.hours / self.known if self.known else 0.0

    def add(self, cpu: Mapping[Place, Share], memory: Mapping[Place, Share], idle: tuple[float, float] | None) -> None:
        """One more hour."""
        for sums, hour in ((self.cpu, cpu), (self.memory, memory)):
            for place, share in hour.items():
                before = sums.get(place, Share(0.0, 0.0))
                sums[place] = Share(before.used + share.used, before.waste + share.waste)
        if idle is None or self.idle is None:
            self.idle = None
        else:
            self.idle = (self.idle[0] + idle[0], self.idle[1] + idle[1])


Side = tuple[dict[Place, Share], float | None]
"""Of one resource in one hour: what each workload takes, and what nobody takes."""


class Meter:
    """Reads two resources of one cluster hour by hour."""

    def __init__(self, cluster: str, cpu: Readings, memory: Readings) -> None:
        self.cluster = cluster
        self._resources = (cpu, memory)
        self._sides: dict[tuple[bool, datetime], Side | None] = {}
        seen = (values for each in self._resources for values in (each.asked, each.used))
        places = {place for values in seen for place in values if place.cluster == cluster}
        self._places = sorted(places, key=lambda place: (place.namespace, place.workload))

    def tally(self, hours: Iterable[datetime]) -> Tally:
        """The sums over *hours*."""
        found = Tally()
        for at in hours:
            found.hours += 1
            sides = [self._side(each, at) for each in self._resources]
            if sides[0] is None or sides[1] is None:
                continue
            (cpu, cpu_idle), (memory, memory_idle) = sides[0], sides[1]
            found.known += 1
            found.add(cpu, memory, None if cpu_idle is None or memory_idle is None else (cpu_idle, memory_idle))
        return found

    def capacity(self, at: Iterable[datetime]) -> tuple[float, float] | None:
        """Cores and GiB of its machines at the latest of these hours for which both are known."""
        for moment in sorted(at, reverse=True):
            cores, gib = (_at(each.capacity.get(self.cluster, {}), moment) for each in self._resources)
            if cores and gib:
                return cores, gib
        return None

    def peaks(self, hours: Iterable[datetime]) -> dict[Place, float]:
        """Of each workload the largest share of its claim that it used, of either resource, in any known hour."""
        found: dict[Place, float] = defaultdict(float)
        for at in hours:
            for side in filter(None, (self._side(each, at) for each in self._resources)):
                for place, share in side[0].items():
                    if share.claimed > 0:
                        found[place] = max(found[place], share.used / share.claimed)
        return dict(found)

    def busiest(self, hours: Iterable[datetime]) -> float | None:
        """The largest share of the machines that was claimed, of either resource; None when that is not known."""
        shares_ = [
            taken / (taken + side[1])
            for at in hours
            for side in filter(None, (self._side(each, at) for each in self._resources))
            if side[1] is not None and (taken := sum(share.claimed for share in side[0].values())) + side[1] > 0
        ]
        return max(shares_, default=None)

    def _side(self, resource: Readings, at: datetime) -> Side | None:
        """One resource in one hour; None where nothing was asked or nothing used in the whole cluster: not known."""
        key = (resource is self._resources[0], at)
        if key not in self._sides:
            self._sides[key] = self._looked(resource, at)
        return self._sides[key]

    def _looked(self, resource: Readings, at: datetime) -> Side | None:
        claims, asks, uses = {}, False, False
        for place in self._places:
            asked, used = _at(resource.asked.get(place, NOTHING), at), _at(resource.used.get(place, NOTHING), at)
            asks, uses = asks or asked is not None, uses or used is not None
            if asked is not None or used is not None:
                claims[place] = asked or 0.0, used or 0.0
        return shares(claims, _at(resource.capacity.get(self.cluster, NOTHING), at)) if asks and uses else None


def lines(tally: Tally, rates: Rates, cluster: str, region: str) -> tuple[Line, ...]:
    """What the hours of *tally* cost, those that are not known taken to be like the others."""
    scale, none = tally.scale, Share(0.0, 0.0)
    found = []
    for place in {**tally.cpu, **tally.memory}:
        cpu, memory = tally.cpu.get(place, none), tally.memory.get(place, none)
        used = rates.cost(cpu.used * scale, memory.used * scale)
        waste = rates.cost(cpu.waste * scale, memory.waste * scale)
        found.append(Line(Kind.COMPUTE, place, region, used, waste))
    if tally.idle is not None:
        idle = rates.cost(tally.idle[0] * scale, tally.idle[1] * scale)
        found.append(Line(Kind.IDLE, Place(cluster), region, idle))
    return tuple(found)


def _at(values: Mapping[datetime, float], at: datetime) -> float | None:
    value = values.get(at)
    return value if value is not None and 0 <= value < inf else None
