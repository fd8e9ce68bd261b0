"""The controllers of the simulated clusters, driven tick by tick on a hand-turned clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.simulator.kubernetes import budgets, errors, images, pods, replicasets
from bot.simulator.kubernetes.kinds import AUTOSCALER, BUDGET, DEPLOYMENT, EVENT, NODE, POD
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, name_of, spec_of, status_of
from bot.simulator.world import World

NEW = images.image("api", "1.8.0")
UNKNOWN = "registry.example/dept/api@sha256:" + "0" * 64


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Bench:
    """Clusters on a hand-turned clock; the region is nyc2 and the Deployment production/api."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.world = World(clock=self.clock)
        self.clusters = Clusters(self.world)
        self.cluster = self.clusters.cluster("nyc2")

    def step(self, seconds: float = 0.25) -> bool:
        self.clock.at += timedelta(seconds=self.world.seconds(seconds))
        return self.clusters.tick("nyc2", self.clock.at)

    def settle(self, seconds: float = 60) -> None:
        for _ in range(int(seconds / 0.25)):
            self.step()

    def deployment(self, name: str = "api") -> Json:
        return self.cluster.store.get(DEPLOYMENT, "production", name)

    def change(self, **spec: Any) -> None:
        found = self.deployment()
        self.cluster.store.put(DEPLOYMENT, found | {"spec": spec_of(found) | spec})

    def run_image(self, image: str) -> None:
        template = spec_of(self.deployment())["template"]
        containers = [template["spec"]["containers"][0] | {"image": image}]
        self.change(template=template | {"spec": template["spec"] | {"containers": containers}})

    def pods(self, service: str = "api") -> list[Json]:
        found = self.cluster.store.all(POD, "production")
        return [pod for pod in found if meta(pod)["labels"]["app"] == service and pods.living(pod)]

    def condition(self, kind: str) -> Json:
        return next(c for c in status_of(self.deployment())["conditions"] if c["type"] == kind)

    def versions(self) -> set[str | None]:
        return {images.version_of(spec_of(pod)["containers"][0]["image"]) for pod in self.pods()}


def test_the_world_begins_at_rest() -> None:
    bench = Bench()
    assert bench.step() is False
    assert bench.clusters.ready("nyc2", "production", "api") == 4
    assert bench.clusters.ready("sfo3", "production", "api") == 2
    assert bench.clusters.image("nyc2", "production", "api") == images.image("api", "1.7.2")
    assert bench.clusters.image("nyc2", "staging", "api") == NEW
    assert bench.clusters.image("sfo3", "staging", "api") == ""
    assert bench.cluster.store.all(EVENT) == []


def test_a_new_image_is_rolled_out_and_numbered() -> None:
    bench = Bench()
    bench.run_image(NEW)
    bench.settle()
    status = status_of(bench.deployment())
    assert bench.versions() == {"1.8.0"}
    assert (status["updatedReplicas"], status["availableReplicas"], status["replicas"]) == (4, 4, 4)
    assert status["observedGeneration"] == meta(bench.deployment())["generation"] == 2
    assert annotations_of(bench.deployment())[replicasets.REVISION] == "2"
    assert bench.condition("Progressing")["reason"] == "NewReplicaSetAvailable"
    assert bench.clusters.image("nyc2", "production", "api") == NEW


@settings(max_examples=12, deadline=None)
@given(
    wanted=st.integers(1, 6),
    surge=st.one_of(st.integers(0, 3), st.sampled_from(["25%", "50%", "100%"])),
    missing=st.one_of(st.integers(0, 3), st.sampled_from(["0%", "25%", "50%"])),
)
def test_a_rollout_keeps_within_its_limits_and_ends(wanted: int, surge: int | str, missing: int | str) -> None:
    bench = Bench()
    rolling = {"maxSurge": surge, "maxUnavailable": missing}
    bench.change(replicas=wanted, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    bench.settle(10)
    bench.run_image(NEW)
    most, least = _bounds(wanted, surge, missing)
    for _ in range(120):
        bench.step()
        assert len(bench.pods()) <= most
        assert sum(map(pods.ready, bench.pods())) >= least
    assert bench.versions() == {"1.8.0"}


def _bounds(wanted: int, surge: int | str, missing: int | str) -> tuple[int, int]:
    up = -(-wanted * int(surge[:-1]) // 100) if isinstance(surge, str) else surge
    down = wanted * int(missing[:-1]) // 100 if isinstance(missing, str) else missing
    return wanted + up, wanted - (down if up or down else 1)


def test_an_unknown_digest_hangs_and_runs_into_the_deadline() -> None:
    bench = Bench()
    bench.run_image(UNKNOWN)
    bench.settle(30)
    assert bench.condition("Progressing")["reason"] == "ReplicaSetUpdated"
    waiting = {status_of(pod)["containerStatuses"][0]["state"].get("waiting", {}).get("reason") for pod in bench.pods()}
    assert waiting <= {None, "ImagePullBackOff", "ErrImagePull"}
    assert waiting > {None}
    bench.settle(60)
    assert bench.condition("Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert bench.condition("Available")["status"] == "True"
    assert bench.clusters.ready("nyc2", "production", "api") == 3
    assert bench.clusters.image("nyc2", "production", "api") == images.image("api", "1.7.2")


def test_a_stuck_rollout_that_is_undone_reuses_the_old_replicaset_with_a_new_number() -> None:
    bench = Bench()
    before = replicasets.of(bench.cluster, bench.deployment())
    template = spec_of(bench.deployment())["template"]
    bench.run_image(UNKNOWN)
    bench.settle(90)
    bench.change(template=template)
    bench.settle()
    newest = max(replicasets.of(bench.cluster, bench.deployment()), key=replicasets.revision)
    assert name_of(newest) == name_of(before[0])
    assert replicasets.revision(newest) == 3
    assert bench.condition("Progressing")["reason"] == "NewReplicaSetAvailable"
    assert bench.versions() == {"1.7.2"}


def test_a_paused_deployment_is_not_rolled() -> None:
    bench = Bench()
    bench.change(paused=True)
    bench.run_image(NEW)
    bench.settle()
    assert bench.versions() == {"1.7.2"}
    assert bench.condition("Progressing")["reason"] == "DeploymentPaused"
    bench.change(paused=False)
    bench.settle()
    assert bench.versions() == {"1.8.0"}


def test_recreate_has_no_moment_with_both_versions() -> None:
    bench = Bench()
    bench.change(strategy={"type": "Recreate"})
    bench.run_image(NEW)
    for _ in range(80):
        bench.step()
        assert len(bench.versions()) <= 1
    assert bench.versions() == {"1.8.0"}


def test_a_deployment_without_deadline_has_no_progressing_condition() -> None:
    bench = Bench()
    bench.change(progressDeadlineSeconds=2_147_483_647)
    bench.settle(5)
    assert [c["type"] for c in status_of(bench.deployment())["conditions"]] == ["Available"]


def test_scaling_adds_and_removes_pods() -> None:
    bench = Bench()
    bench.change(replicas=6)
    bench.settle(10)
    assert bench.clusters.ready("nyc2", "production", "api") == 6
    bench.change(replicas=0)
    bench.settle(10)
    assert bench.pods() == []
    assert "replicas" not in status_of(bench.deployment())


def test_a_dead_region_stands_still() -> None:
    bench = Bench()
    bench.run_image(NEW)
    bench.world.faults.start("region_down", "nyc2")
    bench.settle()
    assert bench.versions() == {"1.7.2"}
    assert bench.clusters.ready("nyc2", "production", "api") == 0
    assert bench.clusters.ready("sfo3", "production", "api") == 2


def test_a_budget_lets_one_pod_go_and_refuses_the_next_until_it_is_replaced() -> None:
    bench = Bench()
    first, second, *_ = bench.pods()
    budgets.evict(bench.cluster, first, bench.clock.at, dry=False)
    with pytest.raises(errors.StatusError) as caught:
        budgets.evict(bench.cluster, second, bench.clock.at, dry=False)
    assert caught.value.code == 429
    assert caught.value.details == {
        "causes": [
            {
                "reason": "DisruptionBudget",
                "message": "The disruption budget api needs 3 healthy pods and has 3 currently",
            }
        ]
    }
    bench.settle(10)
    assert name_of(first) not in {name_of(pod) for pod in bench.pods()}
    assert status_of(bench.cluster.store.get(BUDGET, "production", "api"))["disruptionsAllowed"] == 1
    budgets.evict(bench.cluster, second, bench.clock.at, dry=False)


def test_two_budgets_on_one_pod_cannot_be_evicted() -> None:
    bench = Bench()
    budget = bench.cluster.store.get(BUDGET, "production", "api")
    other = {"metadata": {"name": "second", "namespace": "production"}, "spec": budget["spec"], "status": {}}
    bench.cluster.store.create(BUDGET, other, bench.clock.at)
    with pytest.raises(errors.StatusError) as caught:
        budgets.evict(bench.cluster, bench.pods()[0], bench.clock.at, dry=False)
    assert caught.value.code == 500


def test_an_autoscaler_undoes_a_manual_scale_and_obeys_a_new_minimum() -> None:
    bench = Bench()
    web = bench.deployment("web")
    bench.cluster.store.put(DEPLOYMENT, web | {"spec": spec_of(web) | {"replicas": 5}})
    bench.settle(20)
    assert replicasets.replicas(bench.deployment("web")) == 2
    scaler = bench.cluster.store.get(AUTOSCALER, "production", "web")
    bench.cluster.store.put(AUTOSCALER, scaler | {"spec": spec_of(scaler) | {"minReplicas": 3}})
    bench.settle(20)
    assert bench.clusters.ready("nyc2", "production", "web") == 3


def test_a_crash_is_counted_and_recovers() -> None:
    bench = Bench()
    name = bench.clusters.crash("nyc2", "production", "api", reason="OOMKilled")
    pod = bench.cluster.store.get(POD, "production", name)
    container = status_of(pod)["containerStatuses"][0]
    assert status_of(pod)["phase"] == "Running"
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert container["lastState"]["terminated"]["exitCode"] == 137
    bench.step(0)
    assert bench.clusters.ready("nyc2", "production", "api") == 3
    bench.settle(5)
    assert bench.clusters.ready("nyc2", "production", "api") == 4
    assert bench.clusters.restarts("nyc2", "production", "api") == 1


def test_a_crash_loop_goes_on() -> None:
    bench = Bench()
    bench.clusters.crash("nyc2", "production", "api", forever=True)
    bench.settle(40)
    assert bench.clusters.restarts("nyc2", "production", "api") >= 4
    assert bench.clusters.ready("nyc2", "production", "api") == 3


def test_without_a_schedulable_node_a_pod_stays_pending() -> None:
    bench = Bench()
    for node in bench.cluster.store.all(NODE):
        bench.cluster.store.put(NODE, node | {"spec": spec_of(node) | {"unschedulable": True}})
    bench.change(replicas=5)
    bench.settle(5)
    pending = [pod for pod in bench.pods() if not pods.ready(pod)]
    assert [status_of(pod)["conditions"][0]["reason"] for pod in pending] == ["Unschedulable"]
    assert "containerStatuses" not in status_of(pending[0])
    node = bench.cluster.store.all(NODE)[0]
    bench.cluster.store.put(NODE, node | {"spec": {}})
    bench.settle(5)
    assert bench.clusters.ready("nyc2", "production", "api") == 5


def test_old_replicasets_are_forgotten_beyond_the_history_limit() -> None:
    bench = Bench()
    bench.change(revisionHistoryLimit=1)
    for version in ("1.8.0", "1.8.1"):
        bench.run_image(images.image("api", version))
        bench.settle(30)
    left = [replicasets.revision(found) for found in replicasets.of(bench.cluster, bench.deployment())]
    assert sorted(left) == [2, 3]


def told(bench: Bench, kind: str) -> list[tuple[str, str]]:
    """Reasons and messages of the events about objects of a kind, oldest first."""
    events = bench.cluster.store.all(EVENT)
    return [(one["reason"], one["message"]) for one in events if one["involvedObject"]["kind"] == kind]


def test_a_scaling_is_told_of_the_deployment() -> None:
    bench = Bench()
    bench.change(replicas=2)
    bench.settle(5)
    (current,) = replicasets.of(bench.cluster, bench.deployment())
    assert told(bench, "Deployment") == [
        ("ScalingReplicaSet", f"Scaled down replica set {name_of(current)} from 4 to 2")
    ]


def test_a_revision_that_was_rolled_back_to_keeps_its_earlier_number() -> None:
    bench = Bench()
    before = spec_of(bench.deployment())["template"]["spec"]["containers"][0]["image"]
    for image in (NEW, before):
        bench.run_image(image)
        bench.settle(30)
    numbers = {
        replicasets.revision(found): annotations_of(found).get(replicasets.EARLIER)
        for found in replicasets.of(bench.cluster, bench.deployment())
    }
    assert numbers == {2: None, 3: "1"}


def test_a_node_that_does_not_answer_takes_its_pods_out_of_service() -> None:
    bench = Bench()
    before = bench.clusters.ready("nyc2", "production", "api")
    node = spec_of(bench.pods()[0])["nodeName"]
    struck = sum(spec_of(pod)["nodeName"] == node for pod in bench.pods())
    bench.world.faults.start("node_down", node)
    bench.settle(2)
    condition = next(
        c for c in status_of(bench.cluster.store.get(NODE, "", node))["conditions"] if c["type"] == "Ready"
    )
    assert (condition["status"], condition["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert bench.clusters.ready("nyc2", "production", "api") == before - struck
    assert ("NodeNotReady", f"Node {node} status is now: NodeNotReady") in told(bench, "Node")
    assert ("NodeNotReady", "Node is not ready") in told(bench, "Pod")
    bench.change(replicas=8)
    bench.settle(5)
    fresh = [pod for pod in bench.pods() if spec_of(pod)["nodeName"] == node]
    assert len(fresh) == struck, "nothing new is put there"
    bench.world.faults.clear()
    bench.settle(5)
    assert bench.clusters.ready("nyc2", "production", "api") == 8
    assert ("NodeReady", f"Node {node} status is now: NodeReady") in told(bench, "Node")


def test_a_cordon_is_told_once_and_taken_back() -> None:
    bench = Bench()
    node = bench.cluster.store.all(NODE)[0]
    for cordoned in (True, False):
        now = bench.cluster.store.get(NODE, "", name_of(node))
        bench.cluster.store.put(NODE, now | {"spec": spec_of(now) | {"unschedulable": cordoned}})
        bench.settle(2)
    words = [reason for reason, _ in told(bench, "Node")]
    assert words == ["NodeNotSchedulable", "NodeSchedulable"]
