"""Everything the sources told, put together: pure, so that it can run in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.domain.consumption import HOUR, WEEK, Meter, Readings, lines
from bot.domain.costs import (
    ZERO,
    Allocated,
    Asset,
    Day,
    Inventory,
    Kind,
    Line,
    Peak,
    Place,
    Pool,
    Prices,
    Spend,
    belonging,
    owned,
)
from bot.domain.hours import midnight
from bot.domain.money import HOURS, Rates, exact, split
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Catalogue

DAY: Final = timedelta(days=1)
OPENCOST, CLOUD, OWN = "OpenCost", "DigitalOcean", "pult.toml"
"""Who tells a cluster's prices."""
KINDS: Final[Mapping[Kind, Phrase]] = {
    Kind.DATABASE: phrase("Database"),
    Kind.BALANCER: phrase("Load balancer"),
    Kind.VOLUME: phrase("Volume"),
    Kind.CONTROL: phrase("Control plane"),
}


@dataclass(frozen=True)
class Usage:
    """What Prometheus told. ``replicas``: with a peak that is not measured yet."""

    cpu: Readings
    memory: Readings
    replicas: Mapping[Place, Peak]


@dataclass(frozen=True)
class Known:
    """What the configuration says. ``regions``: of each of our clusters, by its name. ``pair``: those of a failover."""

    services: Catalogue
    regions: Mapping[str, str]
    prices: Prices
    pair: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Everything from *first* (a midnight) to *now*."""

    first: datetime
    now: datetime
    known: Known
    usage: Usage | None
    inventory: Inventory
    allocated: tuple[Allocated, ...]
    trouble: tuple[Phrase, ...]

    @property
    def regions(self) -> Mapping[str, str]:
        return self.known.regions

    @property
    def prices(self) -> Prices:
        return self.known.prices

    @property
    def told(self) -> frozenset[str]:
        """Clusters of which OpenCost speaks."""
        return frozenset(each.place.cluster for each in self.allocated if each.place.cluster)

    def meters(self) -> Iterator[Meter]:
        """Of each cluster that OpenCost says nothing of, where Prometheus answers."""
        if self.usage is not None:
            for cluster in self.regions:
                if cluster not in self.told:
                    yield Meter(cluster, self.usage.cpu, self.usage.memory)

    def pools(self, cluster: str) -> tuple[Pool, ...]:
        """The node pools of one of our clusters, priced in our currency; empty where it is not known which they are."""
        there, region = self.prices.there.get(cluster, ""), self.regions.get(cluster, "")
        found = tuple(pool for pool in self.inventory.pools if there in {pool.cluster, pool.ident})
        if not there:
            found = tuple(pool for pool in self.inventory.pools if pool.region == region)
            if len({pool.ident for pool in found}) > 1:
                return ()
        return tuple(
            replace(pool, monthly=exact(pool.monthly * self.prices.usd)) if pool.monthly else pool for pool in found
        )


def reckoned(given: Sources) -> Spend:
    """What was spent, and what is not known of it."""
    rates, assets = rates_by_cluster(given), tuple(_assets(given))
    week = _hours(midnight(given.now) - WEEK, given.now)
    meters = tuple(given.meters())
    busiest = ((meter.cluster, meter.busiest(week)) for meter in meters)
    peaks = {place: share for meter in meters for place, share in meter.peaks(week).items()}
    replicas = given.usage.replicas if given.usage else {}
    days = [_day(given, at, rates, assets, meters) for at in _days(given.first, given.now)]
    dark = frozenset.intersection(*(day.gaps for day in days))
    days = [replace(day, gaps=day.gaps - dark) for day in days]
    return Spend(
        _from_first_known(days[:-1]), days[-1], given.prices.currency, tuple(_unknown(given, rates, assets, dark)),
        given.inventory.account, {cluster: given.pools(cluster) for cluster in given.regions},
        {place: replace(peak, share=peaks[place]) for place, peak in replicas.items() if place in peaks},
        {cluster: share for cluster, share in busiest if share is not None}, dict(_sources(given, rates)),
        given.known.pair,
    )  # fmt: skip


def rates_by_cluster(given: Sources) -> dict[str, Rates]:
    """What is said in the configuration, else what the node pools cost together; without either a cluster has none."""
    found = {}
    for cluster in given.regions:
        if rates := given.prices.own(cluster) or _pooled(given, cluster):
            found[cluster] = rates
    return found


def _pooled(given: Sources, cluster: str) -> Rates | None:
    """The price of all machines over what Prometheus says they have, so that idle and claims add up to it."""
    pools = given.pools(cluster)
    if not pools or any(pool.monthly is None for pool in pools):
        return None
    price = sum((pool.count * (pool.monthly or ZERO) for pool in pools), ZERO)
    size = None
    if given.usage is not None:
        lately = _hours(midnight(given.now) - DAY, given.now)
        size = Meter(cluster, given.usage.cpu, given.usage.memory).capacity(lately)
    cores, gib = size or (sum(p.count * p.cores for p in pools), sum(p.count * p.gib for p in pools))
    return split(price / HOURS, cores, gib) if price and cores and gib else None


def _day(
    given: Sources, at: datetime, rates: Mapping[str, Rates], assets: Iterable[Asset], meters: Iterable[Meter]
) -> Day:
    end = min(at + DAY, given.now)
    hours = _hours(at, end)
    found = [_allocated(given, each) for each in given.allocated if each.at == at]
    told = {each.place.cluster for each in given.allocated if each.at == at}
    gaps = set(given.told - told)
    if given.usage is None:
        gaps |= given.regions.keys() - given.told
    for meter in meters:
        tally = meter.tally(hours)
        if not tally.enough:
            gaps.add(meter.cluster)
        elif meter.cluster in rates:
            found += lines(tally, rates[meter.cluster], meter.cluster, given.regions[meter.cluster])
    length = Decimal(str((end - at) / HOUR))
    found += [line for asset in assets if (line := _asset(given, asset, length))]
    return Day(at, tuple(owned(line, given.known.services) if line.kind is Kind.COMPUTE else line for line in found),
               frozenset(gaps))  # fmt: skip


def _allocated(given: Sources, each: Allocated) -> Line:
    region = given.regions.get(each.place.cluster, "")
    kind = Kind.IDLE if each.idle else Kind.COMPUTE
    return Line(kind, each.place, region, each.used, each.waste)


def _assets(given: Sources) -> Iterator[Asset]:
    """Everything beside machines, priced in our currency; not what OpenCost counts already."""
    prices, counted = given.prices, _counted(given)
    for asset in given.inventory.assets:
        if (asset.kind, asset.region) not in counted:
            said = next(
                (prices.monthly[key] for key in (asset.ident, asset.name, asset.size) if key in prices.monthly), None
            )
            billed = None if asset.monthly is None else exact(asset.monthly * prices.usd)
            yield replace(asset, monthly=billed if said is None else said)


def _counted(given: Sources) -> set[tuple[Kind, str]]:
    """Which kinds of assets OpenCost counts as parts of workloads, by region."""
    found = set()
    for each in given.allocated:
        region = given.regions.get(each.place.cluster, "")
        for kind, amount in ((Kind.BALANCER, each.balancers), (Kind.VOLUME, each.volumes)):
            if amount:
                found.add((kind, region))
    return found


def _asset(given: Sources, asset: Asset, hours: Decimal) -> Line | None:
    owners = given.prices.owners
    service = owners.get(asset.ident) or owners.get(asset.name) or ""
    cluster = next((name for name, region in given.regions.items() if region == asset.region), "")
    known = given.known.services.find(service) if service else None
    stops = [stop for stop in known.production if stop.cluster == cluster] if known else []
    environment = stops[0].name if stops else known.last.name if known else ""
    return belonging(asset, hours, cluster, service, environment)


def _unknown(
    given: Sources, rates: Mapping[str, Rates], assets: Iterable[Asset], dark: Iterable[str]
) -> Iterator[Phrase]:
    """Everything that costs money and is not in the figures, or not wholly."""
    yield from given.trouble
    for cluster in sorted(dark):
        yield phrase("{cluster}: nobody measures what is asked for and used there.", cluster=cluster)
    if given.inventory.refused:
        parts = ", ".join(given.inventory.refused)
        yield phrase("DigitalOcean does not tell {parts}: see the token's scopes.", parts=parts)
    for cluster in given.regions:
        if cluster not in rates and cluster not in given.told:
            yield from _unpriced(given, cluster)
    for asset in assets:
        if asset.monthly is None:
            yield phrase(
                "{kind} {name} has no known price. It is known once it was billed, or from {section}.",
                kind=KINDS[asset.kind], name=Code(asset.name or asset.ident), section=Code("[prices.monthly]"),
            )  # fmt: skip


def _unpriced(given: Sources, cluster: str) -> Iterator[Phrase]:
    sizes = {pool.size for pool in given.pools(cluster) if pool.monthly is None}
    if sizes:
        yield phrase("{cluster}: machines of size {sizes} have no known price. Set it in {section}.",
                     cluster=cluster, sizes=", ".join(sorted(sizes)), section=Code("[prices]"))  # fmt: skip
    else:
        yield phrase("{cluster}: nobody knows what its machines cost. Set it in {section}.",
                     cluster=cluster, section=Code("[prices]"))  # fmt: skip


def _sources(given: Sources, rates: Mapping[str, Rates]) -> Iterator[tuple[str, str]]:
    for cluster in given.regions:
        if cluster in given.told:
            yield cluster, OPENCOST
        elif cluster in rates:
            yield cluster, OWN if given.prices.own(cluster) else CLOUD


def _from_first_known(days: list[Day]) -> tuple[Day, ...]:
    """Without the days before anything was measured: they are no gaps, there was nothing."""
    first = next((at for at, day in enumerate(days) if any(line.measured for line in day.lines)), 0)
    return tuple(days[first:])


def _days(first: datetime, now: datetime) -> Iterator[datetime]:
    return (first + DAY * number for number in range((now - first) // DAY + 1))


def _hours(start: datetime, end: datetime) -> list[datetime]:
    """The ends of the whole hours between both, of which *start* is one."""
    return [start + HOUR * (number + 1) for number in range(int((end - start) / HOUR))]
