"""Events of a workload: whose they are, and how servers write them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import happenings as own
from bot.adapters.kubernetes.cluster import open_clusters
from bot.adapters.kubernetes.happenings import KubernetesHappenings, read
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.errors import TemporaryError, UserError
from bot.domain.services import Environment
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

RECORDED = Path(__file__).parents[1] / "fixtures" / "kubernetes" / "event-list" / "body.json"
API = Environment("production", "nyc2", "production", "deployment", "api")


def event(kind: str, name: str, **more: Any) -> dict[str, Any]:
    base = {"metadata": {}, "involvedObject": {"kind": kind, "name": name}, "reason": "Started", "message": "m"}
    return base | {"lastTimestamp": "2026-11-24T12:00:00Z", "type": "Normal"} | more


def names(*events: dict[str, Any], makers: str = "api-abc") -> list[str]:
    return [one.name for one in read(events, "api", frozenset(makers.split()))]


def test_recorded_events() -> None:
    items = json.loads(RECORDED.read_bytes())["items"]
    (found,) = read(items, "checkout", frozenset(("checkout-6c9f7d8b5",)))
    assert (found.at, found.first) == (
        datetime(2026, 11, 24, 8, 31, tzinfo=UTC),
        datetime(2026, 11, 24, 8, 21, tzinfo=UTC),
    )
    assert (found.kind, found.reason, found.count, found.warning) == ("Pod", "BackOff", 47, True)
    (found,) = read(items, "search", frozenset(("search-7d9c5b6f4",)))
    assert found.at == found.first == datetime(2026, 11, 24, 8, 20, 0, 123456, tzinfo=UTC)
    assert found.text == "0/3 nodes are available: 3 Insufficient memory."


@pytest.mark.parametrize(
    ("kind", "name", "ours"),
    [
        ("Deployment", "api", True),
        ("HorizontalPodAutoscaler", "api", True),
        ("ReplicaSet", "api-abc", True),
        ("Pod", "api-abc-x1x2x", True),
        ("Pod", "api-abcd-x1x2x", False),
        ("Pod", "api-gateway-abc-x1x2x", False),
        ("Deployment", "api-gateway", False),
        ("Service", "api", False),
        ("Pod", "xapi-abc-x1x2x", False),
    ],
)
def test_whose_an_event_is(kind: str, name: str, ours: bool) -> None:
    assert names(event(kind, name)) == [name] * ours


def test_pods_of_a_statefulset_are_numbered() -> None:
    assert names(event("Pod", "api-0"), event("Pod", "api-db-0"), makers="api") == ["api-0"]


def test_a_series_counts_itself() -> None:
    series = {"count": 9, "lastObservedTime": "2026-11-24T12:05:00.000000Z"}
    (found,) = read([event("Pod", "api-abc-1", series=series, lastTimestamp=None)], "api", frozenset(("api-abc",)))
    assert (found.count, found.at.minute) == (9, 5)


def test_what_an_event_says_is_masked() -> None:
    (found,) = read([event("Pod", "api-abc-1", message="dsn postgres://u:p4ss@db/x")], "api", frozenset(("api-abc",)))
    assert found.text == "dsn postgres://•••@db/x"


async def test_a_rollout_a_crash_and_the_end_of_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP from the simulated cluster, in pages; also of pods that are gone."""
    monkeypatch.setattr(own, "PAGE", 3)
    async with simulator(SimulatorSettings(port=0, speed=200)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        clusters = running.world.clusters
        assert isinstance(clusters, Clusters)
        begun = SystemClock().now() - timedelta(minutes=1)
        async with open_clusters([settings]) as cluster:
            told = KubernetesHappenings(cluster.apis)
            assert await told.happenings(API, begun) == ()
            clusters.crash("nyc2", "production", "api", forever=True)
            clusters.crash("nyc2", "production", "web")
            found = await told.happenings(API, begun)
            assert {one.name.rpartition("-")[0].partition("-")[0] for one in found} == {"api"}
            assert any(one.reason == "BackOff" and one.warning for one in found)
            crashed = next(one.name for one in found if one.reason == "BackOff")
            await cluster.apis["nyc2"].call("CoreV1Api", "delete_namespaced_pod", crashed, "production")
            async with asyncio.timeout(20):
                while not any(one.reason == "Killing" and one.name == crashed for one in found):
                    await asyncio.sleep(0.05)
                    found = await told.happenings(API, begun)
            assert [one.at for one in found] == sorted(one.at for one in found)
            assert await told.happenings(API, SystemClock().now() + timedelta(minutes=1)) == ()
            clusters.cluster("nyc2").deny("list", "events")
            with pytest.raises(UserError, match="it may not list events in production"):
                await told.happenings(API, begun)
            running.world.faults.start("drop", "kubernetes")
            with pytest.raises(TemporaryError):
                await told.happenings(API, begun)
