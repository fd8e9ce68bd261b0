"""What faults and releases do to the metrics."""

import pytest

from bot.simulator.kubernetes import images
from bot.simulator.prometheus import Metrics
from bot.simulator.prometheus.values import Labels
from bot.simulator.world import World
from tests.simulator.world_parts import HandClock

NYC: Labels = (("region", "nyc2"),)
SFO: Labels = (("region", "sfo3"),)


class Clusters:
    """Runs what it is told to run."""

    def __init__(self) -> None:
        self.images: dict[str, str] = {}
        self.hosts: tuple[str, ...] = ()

    def image(self, region: str, namespace: str, service: str) -> str:
        version = self.images.get(region, "1.7.2") if service == "api" else "1"
        return images.image(service, version)

    def ready(self, region: str, namespace: str, service: str) -> int:
        return 2

    def restarts(self, region: str, namespace: str, service: str) -> int:
        return 3

    def databases(self, region: str, namespace: str, service: str) -> tuple[str, ...]:
        return self.hosts if (region, service) == ("nyc2", "api") else ()


class Cloud:
    region = "nyc2"
    lag = 0.5

    def traffic(self) -> str:
        return self.region

    def writable(self) -> set[str]:
        return {"db-nyc2"}

    def primaries(self) -> dict[str, str]:
        return {"db-nyc2": "nyc2"}

    def machines(self, region: str) -> tuple[str, ...]:
        return ()

    def accepts(self, host: str) -> bool:
        return host == "db-nyc2.db.dept.example"


@pytest.fixture
def metrics(world: World) -> Metrics:
    world.clusters, world.cloud = Clusters(), Cloud()
    found = Metrics(world)
    found.look()
    return found


def ratio(metrics: Metrics, window: str = "1m", service: str = "api") -> dict[Labels, float]:
    metrics.look()
    errors = f'sum by (region) (rate(http_requests_total{{job="{service}",code="500"}}[{window}]))'
    return metrics.read(f'{errors} / sum by (region) (rate(http_requests_total{{job="{service}"}}[{window}]))')


def requests(metrics: Metrics) -> dict[Labels, float]:
    metrics.look()
    return metrics.read('sum by (region) (rate(http_requests_total{job="api"}[1m]))')


def test_errors_last_as_long_as_their_fault_even_when_nobody_looked(
    world: World, metrics: Metrics, clock: HandClock
) -> None:
    world.faults.start("errors", "api", 60)
    clock.move(seconds=600)
    metrics.look()
    whole = metrics.read('sum(increase(http_requests_total{job="api"}[1m] offset 9m))')
    fault = metrics.read('sum(increase(http_requests_total{code="500",job="api"}[1m] offset 9m))')
    assert fault[()] / whole[()] == pytest.approx(0.08, rel=0.02)
    assert ratio(metrics, "9m")[NYC] < 0.001
    assert ratio(metrics, "10m", service="web")[NYC] < 0.001


def test_a_bad_version_fails_where_it_runs(world: World, metrics: Metrics, clock: HandClock) -> None:
    assert isinstance(world.clusters, Clusters)
    world.clusters.images["sfo3"] = "1.8.1"
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[SFO] == pytest.approx(0.08, rel=0.02)
    assert ratio(metrics)[NYC] < 0.001
    world.clusters.images["sfo3"] = "1.8.0"
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[SFO] < 0.001


def test_pods_that_were_told_of_a_database_without_writes_fail_their_requests(
    world: World, metrics: Metrics, clock: HandClock
) -> None:
    assert isinstance(world.clusters, Clusters)
    world.clusters.hosts = ("db-nyc2.db.dept.example",) * 3
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[NYC] < 0.001
    world.clusters.hosts = ("db-nyc2.db.dept.example", "db-old.db.dept.example")
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[NYC] == pytest.approx(0.5, rel=0.02)
    assert ratio(metrics)[SFO] < 0.001


def test_bad_release_spoils_the_next_version_and_a_rollback_cures(
    world: World, metrics: Metrics, clock: HandClock
) -> None:
    assert isinstance(world.clusters, Clusters)
    world.faults.start("bad_release", "api", value=0.3)
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[NYC] < 0.001
    world.clusters.images["nyc2"] = "1.8.0"
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[NYC] == pytest.approx(0.3, rel=0.02)
    del world.clusters.images["nyc2"]
    metrics.look()
    clock.move(minutes=1)
    assert ratio(metrics)[NYC] < 0.001


def test_slowness_moves_the_quantiles(world: World, metrics: Metrics, clock: HandClock) -> None:
    quantile = "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{job='api'}[1m])))"
    before = metrics.read(quantile)[()]
    world.faults.start("latency", "api", value=4)
    metrics.look()
    clock.move(minutes=1)
    metrics.look()
    assert metrics.read(quantile)[()] == pytest.approx(4 * before, rel=0.1)


def test_a_dead_region_disappears_and_returns(world: World, metrics: Metrics, clock: HandClock) -> None:
    clock.move(minutes=1)
    before = requests(metrics)
    world.faults.start("region_down", "nyc2", 120)
    clock.move(seconds=90)
    metrics.look()
    assert metrics.read('up{job="api"}') == {
        (("__name__", "up"), ("job", "api"), ("region", "nyc2"), ("service", "api")): 0.0,
        (("__name__", "up"), ("job", "api"), ("region", "sfo3"), ("service", "api")): 1.0,
    }
    assert metrics.read('count(http_requests_total{region="nyc2"})') == {}
    assert set(requests(metrics)) == {SFO}
    assert metrics.read("max by (region) (probe_success)") == {NYC: 0.0, SFO: 1.0}
    clock.move(seconds=300)
    assert requests(metrics)[NYC] == pytest.approx(before[NYC], rel=0.1)


def test_traffic_goes_where_the_record_points(world: World, metrics: Metrics, clock: HandClock) -> None:
    clock.move(minutes=1)
    before = requests(metrics)
    assert before[NYC] > 20 * before[SFO]
    assert isinstance(world.cloud, Cloud)
    world.cloud.region = "sfo3"
    metrics.look()
    clock.move(minutes=1)
    after = requests(metrics)
    assert after[SFO] == pytest.approx(before[NYC], rel=0.1)


def test_gauges_show_the_clusters_and_the_database(metrics: Metrics, clock: HandClock) -> None:
    assert metrics.read('max(kube_pod_container_status_restarts_total{service="api"})') == {(): 3.0}
    assert metrics.read('min(kube_deployment_status_replicas_available{region="sfo3"})') == {(): 2.0}
    assert metrics.read("sum(pg_replication_lag_seconds)") == {(): 0.5}
    clock.move(seconds=-60)
    assert 0.2 < metrics.read("sum(pg_replication_lag_seconds)")[()] < 0.6


def test_unprocessed_messages_grow_old_while_the_bots_fail(world: World, metrics: Metrics, clock: HandClock) -> None:
    oldest = 'max(bot_oldest_unprocessed_seconds{region="nyc2"})'
    assert metrics.read(oldest)[()] < 5
    world.faults.start("errors", "bots")
    metrics.look()
    clock.move(minutes=4)
    metrics.look()
    assert metrics.read(oldest)[()] > 240


def test_nothing_is_known_before_birth_or_in_the_future(metrics: Metrics) -> None:
    assert metrics.read("count(up offset 61d)") == {}
    assert metrics.read("count(up offset -10m)") == {}
    assert metrics.read("count(up offset -2m)") == {(): 8.0}


def test_the_same_moment_always_shows_the_same_counts() -> None:
    clock = HandClock()
    first, second = Metrics(World(clock=clock)), Metrics(World(clock=clock))
    assert first.read("http_requests_total") == second.read("http_requests_total")


@pytest.mark.parametrize(
    ("fault", "target", "seconds", "words"),
    [
        ("meteor", "api", None, "There is no fault 'meteor'"),
        ("region_down", "mars", None, "it strikes nyc2, sfo3"),
        ("slow", "slack", -1.0, "seconds must be"),
        ("slow", "slack", float("nan"), "seconds must be"),
    ],
)
def test_a_wrong_fault_is_explained(world: World, fault: str, target: str, seconds: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        world.faults.start(fault, target, seconds)


def test_a_fault_ends_by_itself_or_by_hand(world: World, clock: HandClock) -> None:
    world.faults.start("slow", "slack", 10)
    world.faults.start("error", "github")
    clock.move(seconds=9.9)
    assert [fault.fault for fault in world.faults.listed()] == ["slow", "error"]
    clock.move(seconds=0.1)
    assert world.faults.active("slow", "slack") is None
    assert world.faults.stop("error", "github")
    assert not world.faults.stop("error", "github")
    assert world.faults.listed() == []
