"""The Logs port, one suite for the pods' own logs and for Loki, over HTTP against the simulated department."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import logs as own
from bot.adapters.kubernetes.cluster import open_clusters
from bot.adapters.kubernetes.logs import KubernetesLogs
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.loki.logs import open_logs
from bot.adapters.loki.settings import LokiSettings
from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.loglines import is_error
from bot.domain.services import Environment
from bot.ports.logs import Found, Line, Logs, Wanted
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.kubernetes import pods as kubelet
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings

API = Environment("production", "nyc2", "production", "deployment", "api")
SELECTOR = '{cluster="$cluster", namespace="$namespace", app="$name"}'
CLOCK = SystemClock()


@dataclass
class Bench:
    simulation: Simulation
    logs: Logs
    surface: str

    @property
    def clusters(self) -> Clusters:
        assert isinstance(self.simulation.world.clusters, Clusters)
        return self.simulation.world.clusters

    async def last(self, minutes: float, environment: Environment = API, **more: object) -> Found:
        now = CLOCK.now()
        wanted = Wanted(now - timedelta(minutes=minutes), now)
        return await self.logs.lines(environment, replace(wanted, **more))  # type: ignore[arg-type]

    async def until(self, seen: Callable[[Found], bool], minutes: float = 2, **more: object) -> Found:
        async with asyncio.timeout(20):
            while not seen(found := await self.last(minutes, **more)):
                await asyncio.sleep(0.1)
            return found


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    async with simulator(SimulatorSettings(port=0, speed=200)) as running:
        yield running


@pytest.fixture
async def pods(simulation: Simulation, tmp_path: Path) -> AsyncIterator[Bench]:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig(simulation.url)))
    clusters = [ClusterSettings(name=name, region=name, kubeconfig=path, context=name) for name in ("nyc2", "sfo3")]
    async with open_clusters(clusters) as cluster:
        yield Bench(simulation, KubernetesLogs(cluster.apis, CLOCK), "kubernetes")


@pytest.fixture
async def loki(simulation: Simulation) -> AsyncIterator[Bench]:
    settings = LokiSettings(url=f"{simulation.url}/loki/", selector=SELECTOR, timeout=timedelta(seconds=5))
    async with open_logs(settings, {"nyc2": "nyc2", "sfo3": "sfo3"}) as logs:
        yield Bench(simulation, logs, "loki")


@pytest.fixture(params=["pods", "loki"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(request.param)
    return found


async def test_lines_of_all_pods_by_time(bench: Bench) -> None:
    found = await bench.last(2)
    assert not found.cut
    assert found.silent == ()
    times = [line.at for line in found.lines]
    assert times == sorted(times)
    assert len({line.source for line in found.lines}) == 4
    assert all(line.source.startswith("api-") and "\n" not in line.text for line in found.lines)
    assert 200 <= len(found.lines) <= 244  # four pods, a line in two seconds each


async def test_only_lines_of_the_time_that_was_asked_for(bench: Bench) -> None:
    now = CLOCK.now()
    since, until = now - timedelta(seconds=90), now - timedelta(seconds=30)
    found = await bench.logs.lines(API, Wanted(since, until))
    assert all(since <= line.at < found.until <= until for line in found.lines)
    assert min(line.at for line in found.lines) < since + timedelta(seconds=4)


async def test_a_later_question_goes_on_where_the_first_ended(bench: Bench) -> None:
    """What two questions show is what one shows: nothing twice, nothing between them lost."""
    begun = CLOCK.now() - timedelta(seconds=60)
    first = await bench.logs.lines(API, Wanted(begun, CLOCK.now()))
    await asyncio.sleep(2.5)
    second = await bench.logs.lines(API, Wanted(first.until, CLOCK.now()))
    both = (*first.lines, *second.lines)
    whole = await bench.logs.lines(API, Wanted(begun, CLOCK.now()))
    assert second.lines
    assert len(set(both)) == len(both)
    assert both == tuple(line for line in whole.lines if line.at < second.until)


async def test_the_newest_are_kept_and_the_cut_is_told(bench: Bench) -> None:
    whole = await bench.last(1)
    found = await bench.last(1, limit=10)
    assert found.cut
    assert len(found.lines) == 10
    assert found.lines[0].at >= sorted(line.at for line in whole.lines)[-11]


async def test_a_word_in_any_case(bench: Bench) -> None:
    found = await bench.last(10, grep="SLOW Query")
    assert found.lines
    assert all("slow query" in line.text for line in found.lines)
    assert (await bench.last(10, grep='a.*b"(\\')).lines == ()


async def test_one_pod_by_a_part_of_its_name(bench: Bench) -> None:
    name = (await bench.last(1)).lines[0].source
    for part in (name, name.rpartition("-")[2]):
        found = await bench.last(1, pod=part)
        assert {line.source for line in found.lines} == {name}


async def test_secrets_are_masked_and_can_not_be_searched_for(bench: Bench) -> None:
    """The simulated services write a password as they start."""
    bench.clusters.crash("nyc2", "production", "api")
    found = await bench.until(lambda found: any("dsn=" in line.text for line in found.lines))
    dsn = [line.text for line in found.lines if "dsn=" in line.text]
    assert all("postgres://•••@" in text for text in dsn)
    for guess in ("simulated-password", "app:s"):
        assert (await bench.last(2, grep=guess)).lines == ()


async def test_errors_are_counted(bench: Bench) -> None:
    now = CLOCK.now()
    before = await bench.logs.errors(API, now - timedelta(minutes=2), now)
    assert before is not None
    assert before <= 2
    bench.simulation.world.faults.start("errors", "api", value=0.5)
    begun = CLOCK.now()
    await asyncio.sleep(6)
    after = await bench.logs.errors(API, begun, CLOCK.now())
    shown = await bench.logs.lines(API, Wanted(begun, CLOCK.now()))
    assert after is not None
    assert after >= sum(is_error(line.text) for line in shown.lines) >= 1


async def test_a_workload_that_is_not_there(bench: Bench) -> None:
    missing = replace(API, workload="chekout")
    if bench.surface == "kubernetes":
        with pytest.raises(UserError, match="There is no deployment chekout in nyc2"):
            await bench.last(1, missing)
    else:
        assert (await bench.last(1, missing)).lines == ()
        assert await bench.logs.errors(missing, CLOCK.now() - timedelta(minutes=1), CLOCK.now()) is None


@pytest.mark.parametrize(("fault", "error"), [("drop", TemporaryError), ("error", TemporaryError),
                                              ("ratelimit", RateLimitedError)])  # fmt: skip
async def test_trouble(bench: Bench, fault: str, error: type[Exception]) -> None:
    bench.simulation.world.faults.start(fault, bench.surface)
    with pytest.raises(error) as caught:
        await bench.last(1)
    with pytest.raises(error):
        await bench.logs.errors(API, CLOCK.now() - timedelta(minutes=1), CLOCK.now())
    if isinstance(caught.value, RateLimitedError):
        assert caught.value.delay == 2


async def test_it_says_what_it_is(bench: Bench) -> None:
    assert await bench.logs.check()


# --- only the pods ---


async def test_the_life_before_a_crash_is_read_too(pods: Bench) -> None:
    name = pods.clusters.crash("nyc2", "production", "api")
    found = await pods.until(lambda found: any("level=info msg=listening" in line.text for line in found.lines))
    said = [line.text for line in found.lines if line.source == name]
    assert any(text.startswith("panic: ") for text in said)
    assert any("msg=starting" in text for text in said)
    assert len(said) == len(set(zip(said, (line.at for line in found.lines if line.source == name), strict=True)))
    before = await pods.last(60, previous=True)
    assert {line.source for line in before.lines} == {name}
    assert not any("msg=listening" in line.text for line in before.lines)


async def test_a_crash_loop_tells_its_last_words_once(pods: Bench) -> None:
    """Here it crashes many times a second, so its last life has always just ended: looked at from a little later."""
    name = pods.clusters.crash("nyc2", "production", "api", forever=True)
    async with asyncio.timeout(20):
        panics: list[Line] = []
        while not panics:
            await asyncio.sleep(0.1)
            now = CLOCK.now()
            found = await pods.logs.lines(API, Wanted(now - timedelta(minutes=2), now + timedelta(seconds=5)))
            panics = [line for line in found.lines if line.source == name and line.text.startswith("panic: ")]
    assert len(panics) == len({line.at for line in panics})


async def test_a_pod_that_never_started_says_why(pods: Bench) -> None:
    """Its image can't be pulled: the others are read, and it is named."""
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "registry.example/dept/api@x"}]}}}}
    clusters = pods.logs._workloads._apis  # type: ignore[attr-defined]
    await clusters["nyc2"].call(
        "AppsV1Api", "patch_namespaced_deployment", "api", "production", body=patch,
        _content_type="application/strategic-merge-patch+json",
    )  # fmt: skip
    found = await pods.until(lambda found: any("can't be pulled" in text.plain() for text in found.silent))
    assert found.lines


async def test_of_one_pod_only_that_is_listed(pods: Bench) -> None:
    """A workload may have thousands."""
    (name, *_) = {line.source for line in (await pods.last(60)).lines}
    cluster = pods.clusters.cluster("nyc2")
    cluster.calls.clear()
    found = await pods.last(60, pod=name)
    assert {line.source for line in found.lines} == {name}
    assert [call.resource for call in cluster.calls] == ["deployments", "pods", "pods/log"]
    cluster.calls.clear()
    await pods.last(60, pod=name[-5:])
    assert [call.resource for call in cluster.calls].count("pods") == 2, "part of a name: all have to be looked at"


async def test_a_pod_that_there_is_not(pods: Bench) -> None:
    with pytest.raises(UserError, match=r"No pod is called zzz9\. There are: api-"):
        await pods.last(1, pod="zzz9")


async def test_without_permission_it_says_which(pods: Bench) -> None:
    pods.clusters.cluster("nyc2").deny("get", "pods/log")
    with pytest.raises(UserError, match="nyc2 does not allow pult to do this: it may not get pods/log in production"):
        await pods.last(1)
    with pytest.raises(UserError):
        await pods.logs.errors(API, CLOCK.now() - timedelta(minutes=1), CLOCK.now())


async def test_a_log_too_long_to_be_read_whole_has_no_count(pods: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST", 2_000)
    found = await pods.last(10)
    assert found.cut
    assert all(line.text.startswith("level=") for line in found.lines), "no half line"
    assert await pods.logs.errors(API, CLOCK.now() - timedelta(minutes=10), CLOCK.now()) is None


async def test_of_many_pods_some_are_read_and_the_others_told(pods: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "PODS", 3)
    found = await pods.last(1)
    assert [text.plain() for text in found.silent] == ["1 other pod was not read"]
    assert await pods.logs.errors(API, CLOCK.now() - timedelta(minutes=1), CLOCK.now()) is None


async def test_a_time_before_every_pod_is_not_known(pods: Bench) -> None:
    """Pods that are gone took their logs with them: none is not zero (promise 14)."""
    week: datetime = CLOCK.now() - timedelta(days=7)
    assert await pods.logs.errors(API, week, week + timedelta(hours=1)) is None


# --- only Loki ---


async def test_loki_remembers_pods_that_are_gone(loki: Bench) -> None:
    cluster = loki.clusters.cluster("nyc2")
    doomed = (await loki.last(1)).lines[0].source
    async with asyncio.timeout(20):
        kubelet.stop(cluster, cluster.store.get(POD, "production", doomed), CLOCK.now())
        while cluster.store.find(POD, "production", doomed):
            await asyncio.sleep(0.05)
    assert doomed in {line.source for line in (await loki.last(2)).lines}


async def test_loki_tells_no_life_before(loki: Bench) -> None:
    with pytest.raises(UserError, match="one life of a container from the next"):
        await loki.last(1, previous=True)


async def test_loki_tells_regions_apart(loki: Bench) -> None:
    east, west = await loki.last(1), await loki.last(1, replace(API, cluster="sfo3"))
    assert not {line.source for line in east.lines} & {line.source for line in west.lines}


async def test_a_query_that_loki_does_not_understand_is_told(simulation: Simulation) -> None:
    settings = LokiSettings(url=f"{simulation.url}/loki", selector="{app='$name'}")
    async with open_logs(settings, {}) as logs:
        with pytest.raises(UserError, match="Loki refuses the query: parse error at line 1, col 6"):
            await logs.lines(API, Wanted(CLOCK.now() - timedelta(minutes=1), CLOCK.now()))
