"""The ledger over sources of our own making: hand-computed days, and every source that stays away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain.consumption import HOUR
from bot.domain.costs import Allocated, Asset, Dimension, Inventory, Kind, Place, Pool, Prices, Spend, rows, whole
from bot.domain.errors import TemporaryError, UserError
from bot.domain.money import Rates, split
from bot.domain.services import Catalogue, Environment, Service
from bot.engine import costqueries as ask
from bot.engine.costing import FRESH, CostLedger
from bot.engine.reckoning import Known
from bot.ports.metrics import Reading, Sample, Series
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests.handlers.fakes import FakeClock

D = Decimal
NOW = datetime(2026, 3, 31, 6, 30, tzinfo=UTC)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
LABELS = {"region": "nyc2", "namespace": "production", "workload": "api"}
PRODUCTION = Environment("production", "nyc2", "production", "deployment", "api")
SERVICES = Catalogue([Service("api", "production", "deployment", "api", ("nyc2",), (PRODUCTION,))])
REGIONS = {"nyc2": "nyc2"}
POOL = Pool("dept-nyc2", "k8s-1", "nyc2", "pool-a", "s", 2, 2.0, 4.0, D("36.5"))
"""Two of them: 73 a month, 0.10 an hour, for four cores and 8 GiB."""
DATABASE = Asset(Kind.DATABASE, "db-1", "db-nyc2", "nyc2", D(73), "db-s-2vcpu-4gb")


@dataclass
class Told:
    """Prometheus: what each query is answered at every hour of the month. ``dark``: hours without any answer."""

    flat: Mapping[str, Sequence[tuple[Mapping[str, str], float]]]
    dark: frozenset[datetime] = frozenset()
    asked: list[str] = field(default_factory=list)
    away: bool = False

    async def query(self, promql: str, at: datetime | None = None) -> Reading:
        return Reading(tuple(Sample(labels, value) for labels, value in self.flat.get(promql, ())))

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        self.asked.append(promql)
        if self.away:
            raise TemporaryError("away")
        hours = [start + step * number for number in range(int((end - start) / step) + 1)]
        return tuple(
            Series(labels, tuple((at, value) for at in hours if at not in self.dark))
            for labels, value in self.flat.get(promql, ())
        )

    async def check(self) -> str:
        return "it answers"


def usual() -> Told:
    """api asks 1 core and 1 GiB, and uses 0.5 and 2."""
    return Told({
        ask.CPU_ASKED: [(LABELS, 1.0)], ask.CPU_USED: [(LABELS, 0.5)], ask.CPU_THERE: [({"region": "nyc2"}, 4.0)],
        ask.MEMORY_ASKED: [(LABELS, 2.0**30)], ask.MEMORY_USED: [(LABELS, 2.0**31)],
        ask.MEMORY_THERE: [({"region": "nyc2"}, 2.0**33)],
        ask.REPLICAS: [({"region": "nyc2", "namespace": "production", "deployment": "api"}, 4.0)],
    })  # fmt: skip


@dataclass
class Cloud:
    found: Inventory | Exception

    async def inventory(self) -> Inventory:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@dataclass
class OpenCost:
    found: tuple[Allocated, ...] | Exception

    async def allocations(self, start: datetime, end: datetime) -> tuple[Allocated, ...]:
        assert (start, end) == (FIRST, NOW)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def check(self) -> str:
        return "it answers"


def ledger(metrics: Told | None = None, cloud: Cloud | None = None, opencost: OpenCost | None = None,
           prices: Prices | None = None, regions: Mapping[str, str] = REGIONS) -> CostLedger:  # fmt: skip
    known = Known(SERVICES, regions, prices or Prices())
    return CostLedger(FakeClock(NOW), known, metrics=metrics, cloud=cloud, allocations=opencost)


def texts(spend: Spend) -> list[str]:
    return [each.plain() for each in spend.unknown]


async def test_a_month_by_hand() -> None:
    """A machine-hour of 0.10 over 4 cores and 8 GiB at 0.031611 to 0.004237: 0.0197150 a core, 0.0026425 a GiB."""
    inventory = Inventory((POOL,), (DATABASE,))
    spend = await ledger(usual(), Cloud(inventory), prices=Prices(owners={"db-nyc2": "api"})).spend()
    assert [day.at for day in spend.days] == [FIRST + timedelta(days=at) for at in range(30)]
    day = spend.days[0]
    assert whole(day.lines) == D("2.4") + D("2.4")  # machines, and 73 / 730 x 24 for the database
    api, none = rows(day.lines, Dimension.SERVICE)
    rates = await ledger(usual(), Cloud(inventory)).rates("nyc2")
    assert rates is not None
    assert (round(rates.cpu, 7), round(rates.memory, 7)) == (D("0.0197150"), D("0.0026425"))
    assert api.waste == rates.cost(12, 0)
    assert api.used == rates.cost(12, 48) + D("2.4")
    assert (none.name, none.idle) == ("", rates.cost(72, 144))
    assert {(line.service, line.environment) for line in day.lines} == {("api", "production"), ("", "")}
    assert (spend.unknown, spend.sources) == ((), {"nyc2": "DigitalOcean"})
    # Of the 6.5 hours of today the six whole ones are measured; the database costs all of them.
    assert whole(spend.today.lines) == D("1.25")
    assert spend.peaks[Place("nyc2", "production", "api")].replicas == 4
    assert spend.busiest["nyc2"] == 0.25


async def test_idle_is_measured_by_what_machines_have_not_by_what_they_are_sold_as() -> None:
    """Of 5 GiB that are sold a node sees 4; without that figure of Prometheus the size of the pool has to do."""
    sold = Inventory((replace(POOL, gib=5.0),))
    seen = await ledger(usual(), Cloud(sold)).spend()
    assert whole(seen.days[0].lines) == D("2.4")
    blind = usual()
    blind = replace(blind, flat={query: told for query, told in blind.flat.items() if query != ask.MEMORY_THERE})
    lines = (await ledger(blind, Cloud(sold)).spend()).days[0].lines
    assert [line.kind for line in lines] == [Kind.COMPUTE]
    assert await ledger(blind, Cloud(sold)).rates("nyc2") == split(D("0.1"), 4.0, 10.0)


async def test_prices_of_the_configuration_stand_above() -> None:
    prices = Prices(rates={"": Rates(D("0.5"), D("0.25"))}, monthly={"db-s-2vcpu-4gb": D(146)})
    spend = await ledger(usual(), Cloud(Inventory((POOL,), (DATABASE,))), prices=prices).spend()
    lines = {line.kind: line.total for line in spend.days[0].lines}
    assert lines == {Kind.COMPUTE: D(24), Kind.IDLE: D(72), Kind.DATABASE: D("4.8")}
    assert spend.sources == {"nyc2": "pult.toml"}


async def test_another_currency() -> None:
    prices = Prices("EUR", D("0.5"), monthly={"db-1": D(73)})
    spend = await ledger(usual(), Cloud(Inventory((POOL,), (DATABASE,))), prices=prices).spend()
    assert (spend.currency, whole(spend.days[0].lines)) == ("EUR", D("1.2") + D("2.4"))


async def test_unknown_prices_are_said_and_never_zero() -> None:
    inventory = Inventory((replace(POOL, monthly=None),), (replace(DATABASE, monthly=None),), None, ("billing",))
    spend = await ledger(usual(), Cloud(inventory)).spend()
    assert spend.days[0].lines == ()
    assert texts(spend) == [
        "DigitalOcean does not tell billing: see the token's scopes.",
        "nyc2: machines of size s have no known price. Set it in [prices].",
        "Database db-nyc2 has no known price. It is known once it was billed, or from [prices.monthly].",
    ]


async def test_two_clusters_in_one_region_are_not_mixed_up() -> None:
    """Whose pools are whose is not guessed; the configuration can tell."""
    other = replace(POOL, cluster="dept-2", ident="k8s-2", monthly=D(1000))
    spend = await ledger(usual(), Cloud(Inventory((POOL, other)))).spend()
    assert texts(spend) == ["nyc2: nobody knows what its machines cost. Set it in [prices]."]
    named = await ledger(usual(), Cloud(Inventory((POOL, other))), prices=Prices(there={"nyc2": "dept-nyc2"})).spend()
    assert whole(named.days[0].lines) == D("2.4")


async def test_hours_in_the_dark_are_a_gap() -> None:
    dark = frozenset(FIRST + HOUR * at for at in range(25, 32))
    spend = await ledger(replace(usual(), dark=dark), Cloud(Inventory((POOL,)))).spend()
    assert [bool(day.gaps) for day in spend.days[:3]] == [False, True, False]


async def test_history_begins_with_what_was_measured() -> None:
    dark = frozenset(FIRST + HOUR * at for at in range(1, 24 * 10 + 1))
    spend = await ledger(replace(usual(), dark=dark), Cloud(Inventory((POOL,), (DATABASE,)))).spend()
    assert spend.days[0].at == FIRST + timedelta(days=10)


async def test_a_cluster_that_nobody_measures_is_said() -> None:
    """It is no gap in every day: then nothing at all would be known."""
    spend = await ledger(usual(), Cloud(Inventory((POOL,))), regions={"nyc2": "nyc2", "sfo3": "sfo3"}).spend()
    assert texts(spend) == [
        "sfo3: nobody measures what is asked for and used there.",
        "sfo3: nobody knows what its machines cost. Set it in [prices].",
    ]
    assert not any(day.gaps for day in spend.days)


@pytest.mark.parametrize(
    ("metrics", "cloud", "opencost", "said"),
    [
        (True, TemporaryError("x"), None, "DigitalOcean does not answer: what it knows is missing here."),
        (True, Inventory((POOL,)), TemporaryError("x"), "OpenCost does not answer: what it knows is missing here."),
        (True, Inventory((POOL,)), UserError("No."), "No."),
        (False, Inventory((POOL,)), None, "Prometheus does not answer: what it knows is missing here."),
    ],
)  # fmt: skip
async def test_one_source_away(
    metrics: bool, cloud: Inventory | Exception, opencost: Exception | None, said: str
) -> None:
    told = replace(usual(), away=not metrics)
    spend = await ledger(told, Cloud(cloud), OpenCost(opencost) if opencost else None).spend()
    assert said in texts(spend)


async def test_all_away() -> None:
    with pytest.raises(TemporaryError):
        await ledger(replace(usual(), away=True), Cloud(TemporaryError("x"))).spend()


async def test_nothing_is_configured() -> None:
    with pytest.raises(UserError, match=r"Add \[prometheus\] and \[digitalocean\], or \[opencost\]"):
        await ledger().spend()


async def test_opencost_is_the_truth_for_the_clusters_it_knows() -> None:
    """Its load balancers are not counted again; the other cluster is still reckoned from Prometheus."""
    days = [FIRST + timedelta(days=at) for at in range(31)]
    api = Place("nyc2", "production", "api")
    told = tuple(Allocated(at, api, D(3), D(1), balancers=D("0.5")) for at in days)
    told += tuple(Allocated(at, Place("nyc2"), D(2), idle=True) for at in days)
    assets = (Asset(Kind.BALANCER, "lb", "lb", "nyc2", D(12)), DATABASE)
    spend = await ledger(usual(), Cloud(Inventory((POOL,), assets)), OpenCost(told)).spend()
    assert {line.kind: line.total for line in spend.days[5].lines} == {
        Kind.COMPUTE: D(4), Kind.IDLE: D(2), Kind.DATABASE: D("2.4"),
    }  # fmt: skip
    assert spend.sources == {"nyc2": "OpenCost"}
    both = await ledger(
        usual(), Cloud(Inventory((replace(POOL, region="sfo3"),))), OpenCost(told),
        regions={"nyc2": "nyc2", "sfo3": "sfo3"},
    ).spend()  # fmt: skip
    assert both.sources == {"nyc2": "OpenCost", "sfo3": "DigitalOcean"}
    missing = await ledger(opencost=OpenCost(tuple(each for each in told if each.at != days[3]))).spend()
    assert [day.gaps for day in missing.days[2:5]] == [frozenset(), {"nyc2"}, frozenset()]


async def test_asked_once_for_a_while() -> None:
    told = usual()
    found = ledger(told, Cloud(Inventory((POOL,))))
    clock: FakeClock = found._clock  # type: ignore[assignment]
    await found.spend()
    await found.rates("nyc2")
    once = len(told.asked)
    assert once == 6 * 7  # six queries, each in seven pieces of five days
    clock.at += FRESH + timedelta(seconds=1)
    await found.spend()
    assert len(told.asked) == 2 * once


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("api-7d9f8b6c5d-b4k8x", "api"),
        ("node-exporter-b4k8x", "node-exporter"),
        ("my-api-2-7d9f8b6c5d-b4k8x", "my-api-2"),
        ("db-0", "db"),
        ("db-12", "db"),
        ("backup-29123456-b4k8x", "backup"),
        ("etcd-nyc2", None),
    ],
)
async def test_workloads_by_the_names_of_their_pods(pod: str, workload: str | None) -> None:
    """Asked of a Prometheus that evaluates label_replace; Kubernetes generates tails without vowels."""
    from bot.simulator.prometheus.functions import function  # noqa: PLC0415
    from bot.simulator.prometheus.values import Element  # noqa: PLC0415

    value = [Element((("pod", pod),), 1.0)]
    ((labels, _),) = function("label_replace")(0, [value, "workload", "$1", "pod", ask.POD])  # type: ignore[misc,list-item]
    assert dict(labels).get("workload") == workload


async def test_clusters_by_their_labels() -> None:
    named = ask.naming({"one": "nyc2", "two": "nyc2", "three": "sfo3"})
    assert named({"region": "sfo3"}) == "three"
    assert named({"region": "nyc2"}) == ""
    assert named({"region": "nyc2", "cluster": "two"}) == "two"
    assert named({"region": "ams3"}) == ""
    assert named({}) == ""
    assert ask.naming({"only": "nyc2"})({}) == "only"


async def test_the_queries_are_answered_by_a_prometheus() -> None:
    """Every one of them, over the wire, with the workloads and machines of the simulated department."""
    from bot.adapters.prometheus.metrics import open_metrics  # noqa: PLC0415
    from bot.adapters.prometheus.settings import PrometheusSettings  # noqa: PLC0415

    regions = {"nyc2": "nyc2", "sfo3": "sfo3"}
    async with (
        simulator(SimulatorSettings(port=0)) as running,
        open_metrics(PrometheusSettings(url=f"{running.url}/prometheus")) as metrics,
    ):
        now = datetime.now(UTC)
        known = Known(SERVICES, regions, Prices(rates={"": Rates(D("0.02"), D("0.003"))}))
        spend = await CostLedger(FakeClock(now), known, metrics=metrics).spend()
    assert (len(spend.days), spend.unknown) == (30, ())
    assert not any(day.gaps for day in spend.days)
    namespaces = {row.name for row in rows(spend.days[3].lines, Dimension.NAMESPACE)}
    assert namespaces == {"", "production", "staging"}
    machines = float(2 * 3 * 24 * (D("0.02") * 4 + D("0.003") * 8_152_400 / 2**20))
    assert all(float(whole(day.lines)) == pytest.approx(machines, rel=1e-6) for day in spend.days)
