"""What was spent, day by day: who claimed it, for what it was used, what nobody used. Never a guess (promise 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from bot.domain.money import DOLLAR, HOURS, Rates, exact
from bot.domain.phrases import Phrase
from bot.domain.services import Catalogue

ZERO: Final = Decimal(0)


class Kind(StrEnum):
    """What money is paid for."""

    COMPUTE = "compute"
    """Claimed by a workload: the larger of what it asked for and what it used."""
    IDLE = "idle"
    """Machines that nobody claimed."""
    DATABASE = "database"
    BALANCER = "load balancer"
    VOLUME = "volume"
    CONTROL = "control plane"
    """Of a cluster whose control plane is highly available."""


class Dimension(StrEnum):
    """By what the whole is taken apart."""

    SERVICE = "service"
    NAMESPACE = "namespace"
    ENVIRONMENT = "environment"
    REGION = "region"


class Place(NamedTuple):
    """Where something is claimed. ``workload`` is empty where the pod's name does not tell it."""

    cluster: str
    namespace: str = ""
    workload: str = ""


@dataclass(frozen=True)
class Line:
    """What one claimant costs. ``used`` was worked with; ``waste`` was asked for and not used.

    ``measured``: whether it is known what of it was used; a database's price, say, tells nothing about that.
    ``service`` and ``environment`` are empty where nobody of the catalogue owns it.
    """

    kind: Kind
    place: Place
    region: str
    used: Decimal
    waste: Decimal = ZERO
    measured: bool = True
    service: str = ""
    environment: str = ""

    @property
    def total(self) -> Decimal:
        return self.used + self.waste


@dataclass(frozen=True)
class Day:
    """One day (UTC), or the part of it that is over. ``gaps``: clusters about which too little is known of it."""

    at: datetime
    lines: tuple[Line, ...]
    gaps: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Account:
    """The cloud provider's own bill. ``invoices``: (period as 2026-10, amount), the latest first; USD."""

    used: Decimal
    balance: Decimal
    at: datetime
    invoices: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True)
class Pool:
    """Equal machines of one cluster. ``monthly``: of one of them, None when its size has no known price.

    ``cluster`` is the provider's name of it, ``ident`` its id, ``region`` its slug.
    """

    cluster: str
    ident: str
    region: str
    name: str
    size: str
    count: int
    cores: float
    gib: float
    monthly: Decimal | None
    automatic: bool = False


@dataclass(frozen=True)
class Asset:
    """Something with a price of its own, a month's; None when nobody knows it."""

    kind: Kind
    ident: str
    name: str
    region: str
    monthly: Decimal | None
    size: str = ""


@dataclass(frozen=True)
class Inventory:
    """What the cloud account holds. ``refused``: parts that the token may not read."""

    pools: tuple[Pool, ...] = ()
    assets: tuple[Asset, ...] = ()
    account: Account | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Allocated:
    """What OpenCost says of one workload on one day. ``balancers`` and ``volumes`` are part of ``used``."""

    at: datetime
    place: Place
    used: Decimal
    waste: Decimal = ZERO
    idle: bool = False
    balancers: Decimal = ZERO
    volumes: Decimal = ZERO


@dataclass(frozen=True)
class Prices:
    """What the department itself says. ``rates``: by cluster, under the empty name of all others.

    ``usd``: how much of ``currency`` one US dollar is. ``monthly``: by id, name or size, in ``currency``. ``owners``:
    whose service it is, by id or name. ``there``: the cloud provider's id or name of a cluster.
    """

    currency: str = DOLLAR
    usd: Decimal = Decimal(1)
    rates: Mapping[str, Rates] = field(default_factory=dict)
    monthly: Mapping[str, Decimal] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    there: Mapping[str, str] = field(default_factory=dict)

    def own(self, cluster: str) -> Rates | None:
        """What the department says that *cluster*'s machines cost."""
        return self.rates.get(cluster) or self.rates.get("")


@dataclass(frozen=True)
class Peak:
    """A workload's busiest hour of the last week: ``share`` of its claim that was used. ``replicas``: now."""

    share: float
    replicas: int
    scaled: bool = False
    """Whether an autoscaler decides how many there are."""


@dataclass(frozen=True)
class Spend:
    """Everything known. ``days`` are whole ones, the oldest first; ``today`` is what is over of this day.

    ``unknown``: what is not in the figures, and why. ``busiest``: of each cluster, which share of its machines was
    claimed in the busiest hour of the last week. ``pair``: clusters of which each must be able to do the other's work.
    """

    days: tuple[Day, ...]
    today: Day
    currency: str = DOLLAR
    unknown: tuple[Phrase, ...] = ()
    account: Account | None = None
    pools: Mapping[str, tuple[Pool, ...]] = field(default_factory=dict)
    peaks: Mapping[Place, Peak] = field(default_factory=dict)
    busiest: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    pair: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A part of the whole. ``share``: of it, from 0 to 1. ``blind``: what of ``used`` nobody measured the use of."""

    name: str
    used: Decimal
    waste: Decimal
    idle: Decimal
    blind: Decimal
    share: float = 0.0

    @property
    def total(self) -> Decimal:
        return self.used + self.waste + self.idle


def rows(lines: Iterable[Line], dimension: Dimension) -> tuple[Row, ...]:
    """The parts of the whole, the dearest first; the name is empty for what has none. They add up to the lines."""
    name, parts = NAMES[dimension], dict[str, Row]()
    for line in lines:
        key = name(line)
        before = parts.get(key, Row(key, ZERO, ZERO, ZERO, ZERO))
        idle = line.kind is Kind.IDLE
        parts[key] = Row(
            key,
            before.used + (ZERO if idle else line.used),
            before.waste + line.waste,
            before.idle + (line.used if idle else ZERO),
            before.blind + (ZERO if line.measured else line.used),
        )
    whole = sum((row.total for row in parts.values()), ZERO)
    ordered = sorted(parts.values(), key=lambda row: (-row.total, row.name))
    return tuple(replace(row, share=float(row.total / whole) if whole else 0.0) for row in ordered)


def added(parts: Iterable[Row]) -> Row:
    """What *parts* add up to."""
    found = Row("", ZERO, ZERO, ZERO, ZERO)
    for part in parts:
        used, waste, idle = found.used + part.used, found.waste + part.waste, found.idle + part.idle
        found = Row("", used, waste, idle, found.blind + part.blind)
    return found


NAMES: Final[Mapping[Dimension, Callable[[Line], str]]] = {
    Dimension.SERVICE: lambda line: line.service,
    Dimension.NAMESPACE: lambda line: line.place.namespace,
    Dimension.ENVIRONMENT: lambda line: line.environment,
    Dimension.REGION: lambda line: line.region,
}


def whole(lines: Iterable[Line]) -> Decimal:
    """What *lines* cost together."""
    return sum((line.total for line in lines), ZERO)


def owned(line: Line, services: Catalogue) -> Line:
    """*line* with the service and the environment whose workload it is, where there is one."""
    place = line.place
    for service in services:
        for each in service.environments:
            if (each.cluster, each.namespace, each.workload) == (place.cluster, place.namespace, place.workload):
                return replace(line, service=service.name, environment=each.name)
        if (service.namespace, service.workload) == (place.namespace, place.workload) and (
            place.cluster in service.clusters
        ):
            return replace(line, service=service.name, environment=service.last.name)
    return line


def belonging(asset: Asset, hours: Decimal, cluster: str, service: str, environment: str) -> Line | None:
    """What *asset* costs in so many hours; None when its price is not known."""
    if asset.monthly is None:
        return None
    amount = exact(asset.monthly * hours / HOURS)
    return Line(
        asset.kind, Place(cluster), asset.region, amount, measured=False, service=service, environment=environment
    )


def daily(days: Iterable[Day], counts: Callable[[Line], bool]) -> tuple[tuple[datetime, Decimal | None], ...]:
    """What the lines that count cost on each of *days*; None where a cluster that has such lines is a gap that day.

    Without any such line on any day nobody knows: nothing found is not nothing paid.
    """
    kept = tuple(days)
    clusters = {line.place.cluster for day in kept for line in day.lines if counts(line)}
    known = (bool(clusters) and not day.gaps & clusters for day in kept)
    return tuple(
        (day.at, whole(filter(counts, day.lines)) if told else None) for day, told in zip(kept, known, strict=True)
    )
