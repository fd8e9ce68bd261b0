"""What stands around a workload: read from an API server, as far as pult may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes.anatomy import AROUND, read
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.anatomy import Budget, Container
from bot.domain.errors import UserError
from bot.domain.services import Environment
from bot.domain.sizing import Sized
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

MIB = 2**20
API = Environment("production", "nyc2", "production", "deployment", "api")


def workload(container: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "api", "image": "x:1", **(container or {})}], **pod}
    template = {"metadata": {"labels": {"app": "api", "tier": "web"}}, "spec": spec}
    return {"spec": {"replicas": 3, "selector": {"matchLabels": {"app": "api"}}, "template": template}}


def only(container: dict[str, Any], **pod: Any) -> Container:
    (found,) = read("deployment", "api", workload(container, **pod), {}).containers
    return found


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    async with simulator(SimulatorSettings(port=0)) as department:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(department.url)))
        async with open_clusters(
            [ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")]
        ) as opened:
            yield opened


async def test_of_the_simulated_department(cluster: KubernetesCluster) -> None:
    found = await cluster.anatomies.anatomy(API)
    assert (found.replicas, found.labels, found.unknown) == (4, (("app", "api"),), ())
    (container,) = found.containers
    assert container.size == Sized(0.1, 128.0 * MIB, None, 512.0 * MIB)
    assert (container.ready, container.live, container.root, container.writable, container.port) == (
        True, False, None, True, 8080,
    )  # fmt: skip
    assert (found.budgets, found.policies, found.spread) == ((Budget("api", "", "1"),), (), False)


async def test_an_autoscaler_is_seen(cluster: KubernetesCluster) -> None:
    found = await cluster.anatomies.anatomy(Environment("production", "nyc2", "production", "deployment", "web"))
    assert (found.scaled_by, found.owned) == ("web", {"cpu"})


async def test_no_such_workload(cluster: KubernetesCluster) -> None:
    with pytest.raises(UserError, match="There is no"):
        await cluster.anatomies.anatomy(Environment("production", "nyc2", "production", "deployment", "nobody"))


def test_what_could_not_be_listed_is_unknown() -> None:
    assert read("deployment", "api", workload(), {"networkpolicies": []}).unknown == (AROUND[0], AROUND[2])


@pytest.mark.parametrize(
    ("container", "pod", "root"),
    [
        ({}, {}, None),
        ({"securityContext": {"runAsNonRoot": True}}, {}, False),
        ({}, {"securityContext": {"runAsNonRoot": True}}, False),
        ({"securityContext": {"runAsUser": 0}}, {"securityContext": {"runAsNonRoot": True}}, True),
        ({"securityContext": {"runAsUser": 1000}}, {}, False),
    ],
)
def test_root(container: dict[str, Any], pod: dict[str, Any], root: bool | None) -> None:
    assert only(container, **pod).root is root


def test_a_request_that_is_not_written_is_the_limit() -> None:
    found = only({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}})
    assert found.size == Sized(1.0, 1024.0 * MIB, 1.0, 1024.0 * MIB)


def test_security() -> None:
    found = only({"securityContext": {"privileged": True, "readOnlyRootFilesystem": True}})
    assert (found.privileged, found.writable) == (True, False)


@pytest.mark.parametrize(
    ("pod", "spread"),
    [
        ({}, False),
        ({"topologySpreadConstraints": [{"maxSkew": 1}]}, True),
        ({"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}}}, True),
        ({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}}, False),
        ({"affinity": {"nodeAffinity": {}}}, False),
    ],
)
def test_spread(pod: dict[str, Any], spread: bool) -> None:
    assert read("deployment", "api", workload(**pod), {}).spread is spread


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "api"}}, True),
        ({"matchLabels": {"app": "web"}}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_whose_pods_a_budget_selects(selector: dict[str, Any] | None, selects: bool) -> None:
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": "50%", "selector": selector}}
    found = read("deployment", "api", workload(), {"poddisruptionbudgets": [budget]})
    assert found.budgets == ((Budget("b", "50%"),) if selects else ())


@pytest.mark.parametrize(
    ("name", "status", "idle"),
    [
        ("api", {"expectedPods": 0, "observedGeneration": 1}, True),
        ("api-old", {"expectedPods": 0, "observedGeneration": 1}, True),
        ("api", {"expectedPods": 3, "observedGeneration": 1}, False),
        ("api", {"expectedPods": 0, "observedGeneration": 0}, False),
        ("web", {"expectedPods": 0, "observedGeneration": 1}, False),
    ],
)
def test_a_budget_that_matches_nothing(name: str, status: dict[str, Any], idle: bool) -> None:
    budget = {"metadata": {"name": name, "generation": 1}, "spec": {"selector": None}, "status": status}
    found = read("deployment", "api", workload(), {"poddisruptionbudgets": [budget]})
    assert found.idle_budgets == ((name,) if idle else ())


def test_only_what_is_held_against_the_request_is_owned() -> None:
    metrics = [
        {"resource": {"name": "cpu", "target": {"type": "AverageValue"}}},
        {"containerResource": {"name": "memory", "target": {"type": "Utilization"}}},
        {"external": {"metric": {}}},
    ]
    target = {"kind": "StatefulSet", "name": "api"}
    scaler = {"metadata": {"name": "hpa"}, "spec": {"scaleTargetRef": target, "metrics": metrics}}
    around = {"horizontalpodautoscalers": [scaler]}
    assert read("statefulset", "api", workload(), around).owned == {"memory"}
    assert read("deployment", "api", workload(), around).owned == frozenset()


def test_a_daemonset_is_per_node() -> None:
    obj = workload() | {"status": {"desiredNumberScheduled": 6}}
    found = read("daemonset", "api", obj, {})
    assert (found.replicas, found.per_node) == (6, True)


def test_secrets_by_every_way_in_which_pods_read_them() -> None:
    container = {
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "by-key"}}}, {"name": "B", "value": "b"}],
        "envFrom": [{"secretRef": {"name": "by-all"}}, {"configMapRef": {"name": "no-secret"}}],
    }
    first = {"name": "init", "image": "x:1", "envFrom": [{"secretRef": {"name": "by-init"}}]}
    volumes = [
        {"name": "v", "secret": {"secretName": "by-volume"}},
        {"name": "p", "projected": {"sources": [{"secret": {"name": "by-source"}}, {"serviceAccountToken": {}}]}},
        {"name": "e", "emptyDir": {}},
    ]
    pulls = [{"name": "not-read-by-pods"}]
    made = workload(container, initContainers=[first], volumes=volumes, imagePullSecrets=pulls)
    found = read("deployment", "api", made, {})
    assert found.secrets == {"by-key", "by-all", "by-init", "by-volume", "by-source"}
