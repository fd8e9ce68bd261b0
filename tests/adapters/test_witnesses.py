"""The witness panel: with views of our own making, then with pult's own adapters against a simulated region."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.kubernetes.cluster import open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.probe.http import answers
from bot.adapters.prometheus.metrics import open_metrics
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.failover import Sight, Witness, lost
from bot.engine import witnesses
from bot.engine.witnesses import Panel, measured
from bot.ports.metrics import Reading, Sample, Series
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import free_port

QUERY = Witness("metrics", query="up")
URL = Witness("outside", url="http://outside/")
CLUSTER = Witness("cluster", cluster="nyc2")


class Metrics:
    """Says one thing, or fails, or never answers."""

    def __init__(self, told: Reading | Exception | None) -> None:
        self._told = told

    async def query(self, promql: str, at: datetime | None = None) -> Reading:
        if self._told is None:
            await asyncio.Event().wait()
        if isinstance(self._told, Exception):
            raise self._told
        assert isinstance(self._told, Reading)
        return self._told

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        raise AssertionError(promql)

    async def check(self) -> str:
        raise AssertionError


def reading(*values: float, warnings: tuple[str, ...] = ()) -> Reading:
    return Reading(tuple(Sample({}, value) for value in values), warnings)


def gives(told: object) -> Callable[[str], Awaitable[object]]:
    async def answer(_: str) -> object:
        if told is None:
            await asyncio.Event().wait()
        if isinstance(told, Exception):
            raise told
        return told

    return answer


def panel(*asked: Witness, metrics: object = None, probe: object = True, version: object = "v1.33.1") -> Panel:
    seen = Metrics(metrics) if isinstance(metrics, Reading | Exception) or metrics == "hangs" else None
    return Panel(asked, seen, gives(probe), gives(version))  # type: ignore[arg-type]


async def sight(witness: Witness, **said: object) -> Sight:
    return (await panel(witness, **said).ask())[witness.name]  # type: ignore[arg-type]


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
    monkeypatch.setattr(witnesses, "DEADLINE", 0.05)
    seen = Panel((QUERY, URL, CLUSTER), Metrics(None), gives(None), gives(None))  # type: ignore[arg-type]
    said = await seen.ask()
    assert said == {"metrics": Sight.UNKNOWN, "outside": Sight.LOST, "cluster": Sight.LOST}


async def test_one_failure_silences_nobody() -> None:
    said = await panel(QUERY, URL, CLUSTER, metrics=RuntimeError("x"), probe=False, version=OSError("y")).ask()
    assert said == {"metrics": Sight.UNKNOWN, "outside": Sight.LOST, "cluster": Sight.UNKNOWN}


async def test_asked_all_at_once() -> None:
    """Each waits for the others: one after the other they would never end."""
    barrier = asyncio.Barrier(3)

    async def meet(_: str) -> bool:
        await barrier.wait()
        return True

    asked = tuple(Witness(str(number), url="http://x/") for number in range(3))
    async with asyncio.timeout(2):
        said = await Panel(asked, None, meet, gives("")).ask()  # type: ignore[arg-type]
    assert set(said.values()) == {Sight.UP}


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
            open_clusters([ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")])
        )
        asked = (
            Witness("metrics", query='max(up{region="nyc2"})'),
            Witness("outside", url=str(server.make_url("/healthz"))),
            CLUSTER,
        )
        yield Panel(asked, metrics, answers, cluster.version)


async def test_a_standing_region_has_no_votes_against_it(department: Panel) -> None:
    said = await department.ask()
    assert set(said.values()) == {Sight.UP}
    assert not lost(said.values())


async def test_a_dead_region_is_lost_by_majority(simulation: Simulation, department: Panel) -> None:
    simulation.world.faults.start("region_down", "nyc2")
    said = await department.ask()
    assert (said["outside"], said["cluster"]) == (Sight.LOST, Sight.LOST)
    assert said["metrics"] is not Sight.UP
    assert lost(said.values())


async def test_dead_monitoring_is_no_dead_region(simulation: Simulation, department: Panel) -> None:
    simulation.world.faults.start("error", "prometheus")
    said = await department.ask()
    assert said["metrics"] is Sight.UNKNOWN
    assert not lost(said.values())


async def test_a_wrong_token_is_no_dead_region(simulation: Simulation, tmp_path: Path) -> None:
    path = tmp_path / "stale"
    path.write_text(yaml.safe_dump(kubeconfig(simulation.url)).replace("sim-k8s-token", "stale-token"))
    async with open_clusters([ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")]) as cluster:
        said = await Panel((CLUSTER,), None, answers, cluster.version).ask()
    assert said == {"cluster": Sight.UNKNOWN}


async def test_nobody_listens_any_more(tmp_path: Path) -> None:
    path = tmp_path / "gone"
    path.write_text(yaml.safe_dump(kubeconfig(f"http://127.0.0.1:{free_port()}")))
    async with open_clusters([ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")]) as cluster:
        said = await Panel((CLUSTER, Witness("typo", cluster="nyc3")), None, answers, cluster.version).ask()
    assert said == {"cluster": Sight.LOST, "typo": Sight.UNKNOWN}
