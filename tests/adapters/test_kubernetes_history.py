"""Undo by recorded and made-up objects: what the patch is, and what the simulator's controllers do not keep."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes import argorollouts, history
from bot.adapters.kubernetes.client import JSON, STRATEGIC
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.ports.cluster import Workload
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.kubernetes.kinds import CONTROLLERREVISION, STATEFULSET
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.kubernetes.store import Store
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
UID = "3f1d438a-5e2a-4c1b-9d10-a1b2c3f72826"
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DATABASE = Workload("nyc2", "production", "statefulset", "db")


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


def deployment(template: dict[str, Any], **notes: str) -> dict[str, Any]:
    meta = {"name": "checkout", "uid": UID, "resourceVersion": "184467", "annotations": notes}
    return {"metadata": meta, "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "template": template}}


def test_recorded_replicasets_are_this_deployments_by_owner_alone() -> None:
    found = recorded("replicasets-history")["items"]
    mine = history.owned(found, deployment(found[0]["spec"]["template"]))
    assert [each["metadata"]["name"] for each in mine] == [
        each["metadata"]["name"] for each in found if each["metadata"]["ownerReferences"][0]["uid"] == UID
    ]
    assert 0 < len(mine) < len(found)


def test_recorded_revisions_are_ordered_by_number() -> None:
    found = recorded("replicasets-history")["items"]
    listed = history.listed(found, deployment(found[0]["spec"]["template"]))
    numbers = [int(each.revision) for each in listed]
    assert numbers == sorted(numbers, reverse=True)
    assert [each.revision for each in listed if each.current] == ["8"]
    assert listed[0].images == ("registry.example.com/shop/checkout:1.4.2",)


def test_the_patch_is_kubectls() -> None:
    """The template less its hash, annotations of then, the Deployment's own bookkeeping of now."""
    past = recorded("replicasets-history")["items"][1]
    now = deployment({"spec": {"containers": []}}, **{"deployment.kubernetes.io/revision": "8", "team": "shop"})
    patch, content_type = history.undo("deployment", now, past)
    assert content_type == JSON
    assert isinstance(patch, list)
    version, template, notes = patch
    assert version == {"op": "replace", "path": "/metadata/resourceVersion", "value": "184467"}
    assert (template["path"], template["value"]["metadata"]) == ("/spec/template", {"labels": {"app": "checkout"}})
    assert template["value"]["spec"] == past["spec"]["template"]["spec"]
    assert notes["value"] == {
        "deployment.kubernetes.io/revision": "8", "kubernetes.io/change-cause": "release 1.4.1"
    }  # fmt: skip


def test_a_rollouts_patch_leaves_its_annotations_alone() -> None:
    past = recorded("replicasets-history")["items"][1]
    patch, _ = history.undo("rollout", deployment({}), past)
    assert isinstance(patch, list)
    assert [each["path"] for each in patch] == ["/metadata/resourceVersion", "/spec/template"]


# --- ControllerRevisions: a StatefulSet and a DaemonSet keep patches ---


@dataclass
class Bench:
    store: Store
    cluster: KubernetesCluster


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=200)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        clusters = running.world.clusters
        assert isinstance(clusters, Clusters)
        async with open_clusters([settings]) as cluster:
            yield Bench(clusters.cluster("nyc2").store, cluster)


def template(version: str) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": f"pg:{version}"}]}}


def keep(store: Store, uid: str, number: int, version: str) -> None:
    """As kubernetes pkg/controller/statefulset keeps it."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": uid, "controller": True}
    meta = {"name": f"db-{number}", "namespace": "production", "labels": {"app": "db"}, "ownerReferences": [owner]}
    data = {"spec": {"template": template(version) | {"$patch": "replace"}}}
    store.create(CONTROLLERREVISION, {"metadata": meta, "data": data, "revision": number}, AT)


async def test_a_statefulset_goes_back_by_its_controller_revision(bench: Bench) -> None:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "db"}}, "template": template("17")}
    meta = {"name": "db", "namespace": "production"}
    made = bench.store.create(STATEFULSET, {"metadata": meta, "spec": spec, "status": {}}, AT)
    for number, version in ((1, "15"), (2, "16"), (3, "17")):
        keep(bench.store, made["metadata"]["uid"], number, version)
    keep(bench.store, "somebody-else", 9, "9")
    found = await bench.cluster.rollouts.revisions(DATABASE)
    assert [(each.revision, each.images, each.current) for each in found] == [
        ("3", ("pg:17",), True), ("2", ("pg:16",), False), ("1", ("pg:15",), False)
    ]  # fmt: skip
    before = await bench.cluster.rollout(DATABASE)
    await bench.cluster.rollouts.undo(DATABASE, "1", before.template)
    stored = bench.store.get(STATEFULSET, "production", "db")
    assert stored["spec"]["template"] == template("15")
    version = stored["metadata"]["resourceVersion"]
    await bench.cluster.rollouts.undo(DATABASE, "1", before.template)
    assert bench.store.get(STATEFULSET, "production", "db")["metadata"]["resourceVersion"] == version


def test_the_patch_of_a_controller_revision_is_what_it_keeps() -> None:
    past = {"metadata": {"name": "db-1"}, "revision": 1, "data": {"spec": {"template": {"$patch": "replace"}}}}
    patch, content_type = history.undo("statefulset", deployment({}), past)
    assert (patch, content_type) == (
        {"spec": {"template": {"$patch": "replace"}}, "metadata": {"resourceVersion": "184467"}}, STRATEGIC
    )  # fmt: skip


# --- reading Rollouts as other controllers and versions write them ---


def rollout(status: dict[str, Any], generation: int = 4, **spec: Any) -> dict[str, Any]:
    meta = {"name": "api", "generation": generation, "annotations": {}}
    steps = [{"setWeight": 20}, {"pause": {"duration": "10m"}}, {"analysis": {}}]
    return {"metadata": meta, "spec": {"strategy": {"canary": {"steps": steps}}, **spec}, "status": status}


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ({}, False),
        ({"observedGeneration": "3"}, False),
        ({"observedGeneration": "4"}, True),
        ({"observedGeneration": "7f9c4d5b8"}, True),
        ({"observedGeneration": "4", "controllerPause": True}, False),
        ({"observedGeneration": "4", "controllerPause": True, "pauseConditions": [{"reason": "x"}]}, True),
    ],
    ids=["none", "older", "this", "a hash of v0.9", "a pause that was just taken away", "paused"],
)
def test_a_status_counts_for_what_it_has_observed(status: dict[str, Any], seen: bool) -> None:
    assert argorollouts.observed(rollout(status)) is seen


def test_the_deployment_it_refers_to_has_to_be_observed_too() -> None:
    obj = rollout({"observedGeneration": "4", "workloadObservedGeneration": "11"})
    obj["metadata"]["annotations"][argorollouts.GENERATION] = "12"
    assert not argorollouts.observed(obj)
    obj["status"]["workloadObservedGeneration"] = "12"
    assert argorollouts.observed(obj)


@pytest.mark.parametrize(
    ("reason", "more", "waits"),
    [
        ("CanaryPauseStep", {}, None),
        ("InconclusiveAnalysisRun", {}, "its analysis can't tell good from bad: a person has to"),
        ("BlueGreenPause", {"strategy": {"blueGreen": {}}}, "the new version waits to be promoted"),
        ("BlueGreenPause", {"strategy": {"blueGreen": {"autoPromotionSeconds": 30}}}, None),
        (
            "BlueGreenPause", {"strategy": {"blueGreen": {"autoPromotionSeconds": 30, "autoPromotionEnabled": False}}},
            "the new version waits to be promoted",
        ),
    ],
    ids=["a pause of ten minutes", "inconclusive", "blue-green", "promotes itself", "promotion is off"],
)  # fmt: skip
def test_only_what_needs_a_person_waits(reason: str, more: dict[str, Any], waits: str | None) -> None:
    conditions = [{"reason": reason, "startTime": "2026-11-24T08:00:00Z"}]
    status = {"pauseConditions": conditions, "currentStepIndex": 1, "currentPodHash": "b", "stableRS": "a"}
    found = argorollouts.progressive(rollout(status, **more)).waits
    assert (found.plain() if found else None) == waits


def test_degraded_says_why() -> None:
    found = argorollouts.stuck(rollout({"phase": "Degraded", "message": "ProgressDeadlineExceeded: timed out"}))
    assert found
    assert found.plain() == "ProgressDeadlineExceeded: timed out"
    assert argorollouts.stuck(rollout({"phase": "Progressing", "message": "more replicas"})) is None
