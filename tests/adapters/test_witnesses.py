"""The witness panel: with views of our own making, then with pult's own adapters against a simulated region."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.adapters.clock import SystemClock
from bot.adapters.digitalocean.client import open_api
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.adapters.digitalocean.uptime import UptimeChecks
from bot.adapters.kubernetes.cluster import open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.probe.http import examine
from bot.adapters.prometheus.metrics import open_metrics
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.detection import View
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.failover import Move, Pair, Sight, Way, Witness, lost
from bot.domain.phrases import phrase
from bot.engine import witnesses
from bot.engine.witnesses import Panel, Senses, measured
from bot.ports.metrics import Reading, Sample, Series
from bot.simulator.digitalocean.catalogue import CHECK
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import free_port

QUERY = Witness("metrics", query="up{region='nyc2'}")
URL = Witness("outside", url="http://outside/")
CLUSTER = Witness("cluster", cluster="nyc2")
UPTIME = Witness("uptime", uptime="c-1")
DATABASE = Witness("database", database=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWAY = TemporaryError("nobody answers")


class Clock:
    def now(self) -> datetime:
        return NOON

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Metrics:
    """Says one thing, or fails, or never answers. ``ages``: seconds since the last sample, None: there is none."""

    def __init__(self, told: Reading | Exception | None, age: float | None = 3.0) -> None:
        self._told, self._age = told, age
        self.asked: list[str] = []

    async def query(self, promql: str, at: datetime | None = None) -> Reading:
        self.asked.append(promql)
        if self._told is None:
            await asyncio.Event().wait()
        if isinstance(self._told, Exception):
            raise self._told
        assert isinstance(self._told, Reading)
        if not promql.startswith("max(timestamp("):
            return self._told
        return reading() if self._age is None else reading(NOON.timestamp() - self._age)

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        raise AssertionError(promql)

    async def check(self) -> str:
        raise AssertionError


class Checks:
    def __init__(self, told: Sight | Exception) -> None:
        self._told = told

    async def sight(self, check: str) -> Sight:
        assert check == "c-1"
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


class Beats:
    def __init__(self, told: bool | Exception) -> None:
        self._told = told

    async def beats(self, region: str) -> bool:
        assert region == "nyc2"
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


def reading(*values: float, warnings: tuple[str, ...] = ()) -> Reading:
    return Reading(tuple(Sample({}, value) for value in values), warnings)


def pair(*asked: Witness) -> Pair:
    return Pair(Move(Way("nyc2", "sfo3")), timedelta(seconds=60), asked, fresh=timedelta(minutes=2))


def gives(told: object) -> Callable[[object], Awaitable[object]]:
    async def answer(_: object) -> object:
        if told is None:
            await asyncio.Event().wait()
        if isinstance(told, Exception):
            raise told
        return told

    return answer


def reaches(**told: object) -> Callable[[str], Awaitable[object]]:
    """What the API server of each cluster answers."""
    return lambda cluster: gives(told[cluster])(cluster)


def probed(told: object) -> Callable[[object], Awaitable[object]]:
    """True: it answers; False: it does not."""

    async def examine(asked: object) -> object:
        said = await gives(told)(asked)
        return None if said is True else phrase("no answer")

    return examine


def panel(
    *asked: Witness, metrics: object = None, probe: object = True, version: object = "v1.33.1",
    other: object = "v1.33.1", uptime: object = None, beats: object = None, age: float | None = 3.0,
) -> Panel:  # fmt: skip
    """*version* of nyc2, *other* of sfo3."""
    seen = Metrics(metrics, age) if isinstance(metrics, Reading | Exception) else None
    reach = reaches(nyc2=version, sfo3=other)
    checks = None if uptime is None else Checks(uptime)  # type: ignore[arg-type]
    database = None if beats is None else Beats(beats)  # type: ignore[arg-type]
    senses = Senses(probed(probe), reach, seen, checks, database)  # type: ignore[arg-type]
    return Panel(pair(*asked), Clock(), senses)


async def view(witness: Witness, **said: object) -> View:
    return (await panel(witness, **said).look()).views[witness.name]  # type: ignore[arg-type]


async def sight(witness: Witness, **said: object) -> Sight:
    return (await view(witness, **said)).sight


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (reading(1), Sight.UP),
        (reading(0, 0, 1), Sight.UP),
        (reading(math.inf), Sight.UP),
        (reading(0), Sight.LOST),
        (reading(0, 0), Sight.LOST),
        (reading(), Sight.UNKNOWN),
        (reading(math.nan), Sight.UNKNOWN),
        (reading(0, math.nan), Sight.UNKNOWN),
        (reading(0, warnings=("remote_read: connection refused",)), Sight.UNKNOWN),
        (reading(1, warnings=("remote_read: connection refused",)), Sight.UP),
        (reading(warnings=("remote_read: connection refused",)), Sight.UNKNOWN),
        (TemporaryError("Prometheus does not answer"), Sight.UNKNOWN),
        (PermanentError("Prometheus refuses the query"), Sight.UNKNOWN),
        (KeyError("a mistake of ours"), Sight.UNKNOWN),
    ],
)
async def test_metrics_say_lost_only_with_zeros(told: Reading | Exception, seen: Sight) -> None:
    assert await sight(QUERY, metrics=told) is seen


async def test_without_metrics_a_query_knows_nothing() -> None:
    assert await sight(QUERY) is Sight.UNKNOWN


@pytest.mark.parametrize(
    ("told", "seen"), [(True, Sight.UP), (False, Sight.LOST), (ValueError("a mistake of ours"), Sight.UNKNOWN)]
)
async def test_an_address_is_up_or_lost(told: object, seen: Sight) -> None:
    assert await sight(URL, probe=told) is seen


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("v1.33.1", Sight.UP),
        (TemporaryError("the API server of nyc2 does not answer"), Sight.LOST),
        (RateLimitedError("the API server of nyc2 answers 429"), Sight.UNKNOWN),
        (UserError("nyc2 does not allow pult to do this"), Sight.UNKNOWN),
        (PermanentError("cluster nyc2: can't use the kubeconfig"), Sight.UNKNOWN),
        (KeyError("nyc2"), Sight.UNKNOWN),
    ],
)
async def test_a_cluster_is_lost_only_when_it_does_not_answer(told: object, seen: Sight) -> None:
    assert await sight(CLUSTER, version=told) is seen


async def test_each_witness_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address has one in its own probe; one that hangs all the same says nothing."""
    monkeypatch.setattr(witnesses, "DEADLINE", 0.05)
    senses = Senses(gives(None), reaches(nyc2=None, sfo3="v1.33.1"), Metrics(None))  # type: ignore[arg-type]
    said = (await Panel(pair(QUERY, URL, CLUSTER), Clock(), senses).look()).sights
    assert said == {"metrics": Sight.UNKNOWN, "outside": Sight.UNKNOWN, "cluster": Sight.LOST}


async def test_one_failure_silences_nobody() -> None:
    asked = panel(QUERY, URL, CLUSTER, metrics=RuntimeError("x"), probe=False, version=OSError("y"))
    said = (await asked.look()).sights
    assert said == {"metrics": Sight.UNKNOWN, "outside": Sight.LOST, "cluster": Sight.UNKNOWN}


async def test_asked_all_at_once() -> None:
    """Each waits for the others: one after the other they would never end."""
    barrier = asyncio.Barrier(3)

    async def meet(_: object) -> None:
        await barrier.wait()

    asked = tuple(Witness(str(number), url="http://x/") for number in range(3))
    async with asyncio.timeout(2):
        said = await Panel(pair(*asked), Clock(), Senses(meet, reaches(sfo3="v"))).look()  # type: ignore[arg-type]
    assert set(said.sights.values()) == {Sight.UP}


@pytest.mark.parametrize(
    ("told", "age", "seen", "why"),
    [
        (reading(0), 3.0, Sight.LOST, "its metric is 0"),
        (reading(0), 119.0, Sight.LOST, "its metric is 0"),
        (reading(0), 121.0, Sight.UNKNOWN, "its last sample is 121 s old"),
        (reading(1), 121.0, Sight.UNKNOWN, "its last sample is 121 s old"),
        (reading(0), -60.0, Sight.UNKNOWN, "its clock is 60 s ahead"),
    ],
)
async def test_a_metric_is_as_old_as_its_last_sample(told: Reading, age: float, seen: Sight, why: str) -> None:
    found = await view(QUERY, metrics=told, age=age)
    assert (found.sight, found.why.plain().replace("\xa0", " ")) == (seen, why)
    assert found.at == NOON - timedelta(seconds=age)


async def test_a_metric_without_a_sample_knows_nothing() -> None:
    assert await sight(QUERY, metrics=reading(0), age=None) is Sight.UNKNOWN


async def test_every_selector_is_asked_for_its_age() -> None:
    metrics = Metrics(reading(0))
    asked = Witness("both", query="max(up{a='1'}) or sum(rate(b[5m]))")
    await Panel(pair(asked), Clock(), Senses(probed(True), reaches(), metrics)).look()  # type: ignore[arg-type]
    assert metrics.asked[1:] == ["max(timestamp(up{a='1'}))", "max(timestamp(b))"]


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (Sight.UP, Sight.UP),
        (Sight.LOST, Sight.LOST),
        (Sight.UNKNOWN, Sight.UNKNOWN),
        (AWAY, Sight.UNKNOWN),
        (UserError("DigitalOcean refuses"), Sight.UNKNOWN),
    ],
)
async def test_an_uptime_check_says_what_its_places_say(told: object, seen: Sight) -> None:
    assert await sight(UPTIME, uptime=told) is seen


@pytest.mark.parametrize(
    ("told", "seen"),
    [(True, Sight.UP), (False, Sight.LOST), (AWAY, Sight.UNKNOWN), (UserError("no such server"), Sight.UNKNOWN)],
)
async def test_a_database_is_lost_only_when_it_is_seen_to_take_no_heartbeat(told: object, seen: Sight) -> None:
    assert await sight(DATABASE, beats=told) is seen


async def test_who_can_not_be_asked_knows_nothing() -> None:
    look = await panel(QUERY, UPTIME, DATABASE).look()
    assert set(look.sights.values()) == {Sight.UNKNOWN}
    assert "[digitalocean]" in look.views["uptime"].why.plain()


@pytest.mark.parametrize("other", [AWAY, TimeoutError()])
async def test_pult_cut_off_calls_no_region_lost(other: Exception) -> None:
    """Its own looks all fail at once, of the healthy region as well: that is no vote. Others' looks still are."""
    said = {"metrics": reading(0), "uptime": Sight.LOST}
    cut_off = panel(QUERY, URL, CLUSTER, UPTIME, DATABASE, probe=False, version=AWAY, other=other, beats=False, **said)
    look = await cut_off.look()
    assert look.blind
    own = {"outside", "cluster", "database"}
    assert {name: look.sights[name] for name in own} == dict.fromkeys(own, Sight.UNKNOWN)
    assert "cut off itself" in look.views["cluster"].why.plain()
    assert (look.sights["metrics"], look.sights["uptime"]) == (Sight.LOST, Sight.LOST)
    assert not lost(look.sights.values())


@pytest.mark.parametrize("other", ["v1.33.1", RateLimitedError("429"), UserError("no right"), PermanentError("token")])
async def test_another_region_that_answers_anything_proves_the_way_out(other: object) -> None:
    look = await panel(URL, CLUSTER, probe=False, version=AWAY, other=other).look()
    assert not look.blind
    assert set(look.sights.values()) == {Sight.LOST}


async def test_up_is_believed_even_where_the_other_region_is_away() -> None:
    look = await panel(URL, CLUSTER, other=AWAY).look()
    assert set(look.sights.values()) == {Sight.UP}


async def test_the_doctor_asks_each_witness() -> None:
    assert "it sees nyc2 up: answers, version v1.33.1" in await panel(CLUSTER).check("cluster")
    with pytest.raises(UserError, match="sees it lost: its API server does not answer"):
        await panel(CLUSTER, version=AWAY).check("cluster")
    with pytest.raises(UserError, match="does not know"):
        await panel(QUERY).check("metrics")


@pytest.mark.parametrize(
    ("told", "value"),
    [
        (reading(0.4), 0.4),
        (reading(0), 0),
        (reading(), None),
        (reading(1, 2), None),
        (reading(math.nan), None),
        (TemporaryError("x"), None),
        (PermanentError("x"), None),
    ],
)
async def test_one_number_or_nothing(told: Reading | Exception, value: float | None) -> None:
    assert await measured(Metrics(told), "pg_replication_lag_seconds")() == value


async def test_no_number_without_metrics() -> None:
    assert await measured(None, "pg_replication_lag_seconds")() is None


# Together with the adapters.


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.fixture
async def department(simulation: Simulation, tmp_path: Path) -> AsyncIterator[Panel]:
    """Three views of nyc2: its metrics, its API server, and an address that stands and falls with it."""

    async def healthz(_: web.Request) -> web.Response:
        down = simulation.world.faults.active("region_down", "nyc2")
        return web.Response(status=503 if down else 200)

    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig(simulation.url)))
    outside = web.Application()
    outside.router.add_get("/healthz", healthz)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(outside))
        metrics = await stack.enter_async_context(open_metrics(PrometheusSettings(url=f"{simulation.url}/prometheus")))
        cluster = await stack.enter_async_context(
            open_clusters([
                ClusterSettings(name=name, region=name, kubeconfig=path, context=name) for name in ("nyc2", "sfo3")
            ])
        )  # fmt: skip
        asked = (
            Witness("metrics", query='max(up{region="nyc2"})'),
            Witness("outside", url=str(server.make_url("/healthz"))),
            CLUSTER,
        )
        yield Panel(pair(*asked), SystemClock(), Senses(examine, cluster.version, metrics))


async def test_a_standing_region_has_no_votes_against_it(department: Panel) -> None:
    said = (await department.look()).sights
    assert set(said.values()) == {Sight.UP}
    assert not lost(said.values())


async def test_a_dead_region_is_lost_by_majority(simulation: Simulation, department: Panel) -> None:
    simulation.world.faults.start("region_down", "nyc2")
    said = (await department.look()).sights
    assert (said["outside"], said["cluster"]) == (Sight.LOST, Sight.LOST)
    assert said["metrics"] is not Sight.UP
    assert lost(said.values())


async def test_dead_monitoring_is_no_dead_region(simulation: Simulation, department: Panel) -> None:
    simulation.world.faults.start("error", "prometheus")
    said = (await department.look()).sights
    assert said["metrics"] is Sight.UNKNOWN
    assert not lost(said.values())


async def test_a_wrong_token_is_no_dead_region(simulation: Simulation, tmp_path: Path) -> None:
    path = tmp_path / "stale"
    path.write_text(yaml.safe_dump(kubeconfig(simulation.url)).replace("sim-k8s-token", "stale-token"))
    async with open_clusters([ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")]) as cluster:
        said = (await Panel(pair(CLUSTER), Clock(), Senses(examine, cluster.version)).look()).sights
    assert said == {"cluster": Sight.UNKNOWN}


async def test_nobody_listens_any_more(tmp_path: Path) -> None:
    """Of the source: the other region is simulated, and answers."""
    path = tmp_path / "gone"
    path.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{free_port()}")))
    there = tmp_path / "there"
    async with simulator(SimulatorSettings(port=0)) as running:
        there.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = [
            ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2"),
            ClusterSettings(name="sfo3", region="sfo3", kubeconfig=there, context="sfo3"),
        ]
        async with open_clusters(settings) as cluster:
            asked = pair(CLUSTER, Witness("typo", cluster="nyc3"))
            said = (await Panel(asked, Clock(), Senses(examine, cluster.version)).look()).sights
    assert said == {"cluster": Sight.LOST, "typo": Sight.UNKNOWN}


async def test_a_simulated_check_and_database(simulation: Simulation, department: Panel) -> None:
    """Through pult's own hands on DigitalOcean."""
    settings = DigitaloceanSettings(token=SecretStr(TOKEN), api_url=f"{simulation.url}/digitalocean")
    async with open_api(settings) as api:
        asked = Witness("uptime", uptime=CHECK)

        async def says() -> Sight:
            senses = Senses(examine, reaches(), uptime=UptimeChecks(api))  # type: ignore[arg-type]
            return (await Panel(pair(asked), Clock(), senses).look()).sights["uptime"]

        assert await says() is Sight.UP
        simulation.world.faults.start("place_down", "us_east")
        assert await says() is Sight.UP, "one place of four"
        simulation.world.faults.start("region_down", "nyc2")
        assert await says() is Sight.LOST
