"""What could be saved, and by which command: the three largest, never the same money twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import ceil
from typing import Final

from bot.domain.costs import ZERO, Day, Dimension, Kind, Line, Place, Pool, Spend, rows, whole
from bot.domain.money import HOURS, exact
from bot.domain.services import Catalogue, Environment, Service

MOST: Final = 3
WORTH: Final = Decimal(1)
"""Money a month below which nobody should be bothered."""
WASTED: Final = 0.3
"""Share of a service's cost that must be waste for a right-size to be worth a pull request."""
BUSY: Final = 0.8
"""How busy what is left may be in what was the busiest hour of the last week."""
KEPT: Final = 2
"""Replicas, and nodes, that always stay: one alone is an outage at its next restart."""
WEEK: Final = 7
"""Days on which a month is reckoned."""


class Way(StrEnum):
    RIGHTSIZE = "rightsize"
    SCALE = "scale"
    POOL = "pool"


@dataclass(frozen=True)
class Saving:
    """``amount`` a month, at most. ``command``: what carries it out, as it is typed; for a pool, in a shell."""

    way: Way
    target: str
    amount: Decimal
    command: str
    now: int = 0
    then: int = 0


def savings(spend: Spend, services: Catalogue) -> tuple[Saving, ...]:
    """The largest first. A service has one, the better of two; what a pool saves is idle, which no service pays."""
    week = tuple(day for day in spend.days if not day.gaps)[-WEEK:]
    if not week:
        return ()
    best: dict[tuple[bool, str], Saving] = {}
    for each in (*_rightsizes(week, services), *_scales(week, spend, services), *_pools(week, spend)):
        key = each.way is Way.POOL, each.target
        if each.amount >= WORTH and (key not in best or best[key].amount < each.amount):
            best[key] = each
    return tuple(sorted(best.values(), key=lambda each: (-each.amount, each.target))[:MOST])


def month(amount: Decimal, days: int) -> Decimal:
    """*amount* of so many days, as a month."""
    return exact(amount * HOURS / (24 * days)) if days else ZERO


def _rightsizes(week: tuple[Day, ...], services: Catalogue) -> Iterator[Saving]:
    for row in rows((line for day in week for line in day.lines), Dimension.SERVICE):
        if services.find(row.name) and row.total and row.waste / row.total >= Decimal(str(WASTED)):
            yield Saving(Way.RIGHTSIZE, row.name, month(row.waste, len(week)), f"rightsize {row.name}")


def _scales(week: tuple[Day, ...], spend: Spend, services: Catalogue) -> Iterator[Saving]:
    for service in services:
        for stop in service.environments:
            place = Place(stop.cluster, stop.namespace, stop.workload)
            busy, peak = _busy(spend, place), spend.peaks.get(place)
            if peak is None or busy is None or peak.scaled:
                continue
            then = max(KEPT, ceil(busy / BUSY))
            if then < peak.replicas:
                cost = month(whole(_of(week, place)), len(week))
                saved = exact(cost * (peak.replicas - then) / peak.replicas)
                yield Saving(Way.SCALE, service.name, saved, _scale(service, stop, then), peak.replicas, then)


def _busy(spend: Spend, place: Place) -> float | None:
    """Replicas that were busy in the busiest hour, in a failover's clusters of both. None: not known."""
    places = [place._replace(cluster=each) for each in spend.pair] if place.cluster in spend.pair else [place]
    peaks = [spend.peaks.get(each) for each in places]
    return None if None in peaks else sum(peak.replicas * peak.share for peak in peaks if peak)


def _pools(week: tuple[Day, ...], spend: Spend) -> Iterator[Saving]:
    """Of each cluster the pool whose machines cost most, as far as what is left still holds the busiest hour."""
    for cluster, pools in spend.pools.items():
        claimed, priced = _claimed(spend, cluster), [pool for pool in pools if pool.monthly and not pool.automatic]
        if claimed is None or not priced:
            continue
        pool = max(priced, key=lambda each: each.monthly or ZERO)
        count = _spare(pool, pools, claimed)
        if count and pool.monthly:
            unclaimed = (line.used for day in week for line in day.lines if _idle(line, cluster))
            idle = month(sum(unclaimed, ZERO), len(week))
            left = pool.count - count
            command = f"doctl kubernetes cluster node-pool update {pool.cluster} {pool.name} --count {left}"
            yield Saving(Way.POOL, cluster, min(idle, pool.monthly * count), command, pool.count, left)


def _claimed(spend: Spend, cluster: str) -> tuple[float, float] | None:
    """Cores and GiB that must be there: what was claimed in the busiest hour, in a failover's clusters of both."""
    cores, gib = 0.0, 0.0
    for each in spend.pair if cluster in spend.pair else (cluster,):
        busiest = spend.busiest.get(each)
        if busiest is None or not spend.pools.get(each):
            return None
        there = _there(spend.pools[each])
        cores, gib = cores + busiest * there[0], gib + busiest * there[1]
    return cores, gib


def _there(pools: Iterable[Pool]) -> tuple[float, float]:
    kept = tuple(pools)
    return sum(each.count * each.cores for each in kept), sum(each.count * each.gib for each in kept)


def _spare(pool: Pool, pools: tuple[Pool, ...], claimed: tuple[float, float]) -> int:
    """Machines of *pool* that could go."""
    cores, gib = _there(pools)
    for count in range(min(pool.count - 1, sum(each.count for each in pools) - KEPT), 0, -1):
        left = cores - count * pool.cores, gib - count * pool.gib
        if claimed[0] <= BUSY * left[0] and claimed[1] <= BUSY * left[1]:
            return count
    return 0


def _idle(line: Line, cluster: str) -> bool:
    return line.kind is Kind.IDLE and line.place.cluster == cluster


def _of(week: Iterable[Day], place: Place) -> Iterator[Line]:
    return (line for day in week for line in day.lines if line.kind is Kind.COMPUTE and line.place == place)


def _scale(service: Service, stop: Environment, count: int) -> str:
    where = "" if stop == service.primary else f" in {stop.name}"
    return f"scale {service.name} {count}{where}"
