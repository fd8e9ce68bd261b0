"""What pult makes of Kubernetes objects: recorded ones, and their small variations."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes import judge
from bot.adapters.kubernetes.notes import OPERATION

CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


def said(phrase: Any) -> str:
    return phrase.plain() if phrase else ""


def test_a_complete_deployment_is_done() -> None:
    found = judge.rollout("deployment", recorded("deployment-complete"))
    assert (found.done, found.stuck, found.paused) == (True, None, False)
    assert found.desired == found.updated == found.ready == found.available > 0


def test_a_progressing_deployment_is_neither_done_nor_stuck() -> None:
    found = judge.rollout("deployment", recorded("deployment-progressing"))
    assert (found.done, found.stuck) == (False, None)
    assert (found.desired, found.updated, found.ready, found.available) == (3, 1, 3, 3)


def test_a_stuck_deployment_says_why() -> None:
    found = judge.rollout("deployment", recorded("deployment-stuck"))
    assert not found.done
    assert said(found.stuck) == 'ReplicaSet "checkout-77d5f9c6b" has timed out progressing.'


def test_what_the_controller_has_not_seen_yet_proves_nothing() -> None:
    for case in ("deployment-complete", "deployment-stuck"):
        obj = recorded(case)
        obj["metadata"]["generation"] += 1
        found = judge.rollout("deployment", obj)
        assert (found.done, found.stuck) == (False, None), case


def test_old_pods_that_still_run_keep_a_rollout_open() -> None:
    obj = recorded("deployment-complete")
    obj["status"]["replicas"] += 1
    assert not judge.rollout("deployment", obj).done


def test_a_deployment_that_may_not_create_pods_is_stuck() -> None:
    obj = recorded("deployment-progressing")
    denied = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small"}
    obj["status"]["conditions"].append(denied)
    assert said(judge.rollout("deployment", obj).stuck) == "exceeded quota: small"


def test_absent_counters_are_zero() -> None:
    obj = recorded("deployment-complete")
    obj["status"] = {"observedGeneration": obj["metadata"]["generation"]}
    found = judge.rollout("deployment", obj)
    assert (found.updated, found.ready, found.available, found.done) == (0, 0, 0, False)
    obj["spec"]["replicas"] = 0
    assert judge.rollout("deployment", obj).done


def test_a_deployment_scaled_to_nothing_by_default_means_one_replica() -> None:
    obj = recorded("deployment-complete")
    del obj["spec"]["replicas"]
    assert judge.rollout("deployment", obj).desired == 1


def test_the_template_changes_with_the_template_only() -> None:
    obj = recorded("deployment-complete")
    before = judge.rollout("deployment", obj).template
    moved = copy.deepcopy(obj)
    moved["status"]["readyReplicas"] = 0
    moved["metadata"]["resourceVersion"] = "9999999"
    moved["spec"]["replicas"] = 7
    moved["spec"]["template"] = dict(reversed(moved["spec"]["template"].items()))
    assert judge.rollout("deployment", moved).template == before
    moved["spec"]["template"]["spec"]["containers"][0]["image"] += "0"
    assert judge.rollout("deployment", moved).template != before


def test_who_restarted_it_last_is_read_from_the_template() -> None:
    obj = recorded("deployment-restarted")
    assert judge.rollout("deployment", obj).restarted_by == ""
    obj["spec"]["template"]["metadata"]["annotations"][OPERATION] = "op-41c9"
    assert judge.rollout("deployment", obj).restarted_by == "op-41c9"


def test_a_rolling_statefulset_is_not_done_until_its_revisions_agree() -> None:
    obj = recorded("statefulset-rolling")
    assert not judge.rollout("statefulset", obj).done
    obj["status"] |= {"readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    assert not judge.rollout("statefulset", obj).done
    obj["status"]["currentRevision"] = obj["status"]["updateRevision"]
    assert judge.rollout("statefulset", obj).done


def test_a_partitioned_statefulset_is_done_above_its_partition() -> None:
    obj = recorded("statefulset-rolling")
    obj["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 2
    obj["status"]["readyReplicas"] = 3
    assert judge.rollout("statefulset", obj).done
    obj["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 1
    assert not judge.rollout("statefulset", obj).done


def test_a_strategy_that_waits_for_a_hand_is_stuck() -> None:
    obj = recorded("statefulset-rolling")
    obj["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert "OnDelete" in said(judge.rollout("statefulset", obj).stuck)
    obj["status"] |= {"updatedReplicas": 3, "currentRevision": obj["status"]["updateRevision"], "readyReplicas": 2}
    assert judge.rollout("statefulset", obj).stuck is None


def daemonset(**status: int) -> Any:
    counts = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 3, "numberAvailable": 3}
    spec = {
        "template": recorded("deployment-complete")["spec"]["template"],
        "updateStrategy": {"type": "RollingUpdate"},
    }
    return {"metadata": {"generation": 2}, "spec": spec, "status": counts | {"observedGeneration": 2} | status}


@pytest.mark.parametrize("short", ["updatedNumberScheduled", "numberAvailable"])
def test_a_daemonset_is_done_on_every_node(short: str) -> None:
    assert judge.rollout("daemonset", daemonset()).done
    found = judge.rollout("daemonset", daemonset(**{short: 2}))
    assert (found.done, found.stuck, found.desired) == (False, None, 3)


def test_a_crash_loop_is_no_running_pod() -> None:
    pod = judge.pod(recorded("pod-crashloop"))
    assert (pod.phase, pod.ready, pod.restarts) == ("Running", False, 6)
    assert said(pod.trouble) == "crashes again and again; last time: exit code 1, Error"
    assert pod.started_at == datetime(2026, 11, 24, 8, 20, tzinfo=UTC)


def test_a_pod_out_of_memory_says_so() -> None:
    pod = judge.pod(recorded("pod-oomkilled"))
    assert said(pod.trouble) == "crashes again and again; last time: killed for using more memory than its limit"


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull"])
def test_an_image_that_cannot_be_pulled_is_named(reason: str) -> None:
    obj = recorded("pod-imagepullbackoff")
    obj["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] = reason
    assert said(judge.pod(obj).trouble) == "its image can't be pulled: registry.example.com/shop/checkout:1.4.2-bad"


def test_a_pod_without_a_node_says_why() -> None:
    pod = judge.pod(recorded("pod-pending-unschedulable"))
    assert (pod.node, pod.ready, pod.started_at) == ("", False, None)
    assert said(pod.trouble) == "can't be scheduled: 3 nodes have too little memory free (of 3 nodes)"


def test_a_container_between_death_and_back_off_is_in_trouble() -> None:
    obj = recorded("pod-crashloop")
    obj["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert said(judge.pod(obj).trouble) == "killed for using more memory than its limit"


def test_an_init_container_in_trouble_is_the_pods_trouble() -> None:
    obj = recorded("pod-crashloop")
    obj["status"]["initContainerStatuses"] = obj["status"].pop("containerStatuses")
    assert "crashes again and again" in said(judge.pod(obj).trouble)


def test_a_finished_init_container_is_no_trouble() -> None:
    obj = recorded("pod-crashloop")
    started = {"name": "checkout", "state": {"running": {}}, "ready": True, "restartCount": 0, "lastState": {}}
    finished = {"name": "migrate", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}, "ready": True}
    obj["status"] |= {"containerStatuses": [started], "initContainerStatuses": [finished]}
    pod = judge.pod(obj)
    assert (pod.ready, pod.trouble) == (True, None)


def test_an_evicted_pod_has_no_containers_to_tell() -> None:
    status = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    pod = judge.pod({"metadata": {"name": "api-1"}, "spec": {}, "status": status})
    assert said(pod.trouble) == "The node was low on resource: memory."


def test_a_pod_on_its_way_out_is_not_ready() -> None:
    obj = recorded("pod-crashloop")
    obj["status"]["containerStatuses"][0] |= {"ready": True, "state": {"running": {}}}
    assert judge.pod(obj).ready
    obj["metadata"]["deletionTimestamp"] = "2026-11-24T08:40:00Z"
    assert (judge.pod(obj).ready, judge.pod(obj).phase) == (False, "Terminating")


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("registry.example/dept/api@sha256:aa", "registry.example/dept/api"),
        ("registry.example/dept/api:1.7.2@sha256:aa", "registry.example/dept/api"),
        ("registry.example:5000/dept/api", "registry.example:5000/dept/api"),
        ("registry.example:5000/dept/api@sha256:aa", "registry.example:5000/dept/api"),
        ("registry.example:5000/dept/api:1.7.2", "registry.example:5000/dept/api"),
        ("nginx", "nginx"),
        ("nginx:1.27", "nginx"),
    ],
)
def test_a_repository_is_an_image_without_tag_and_digest(image: str, repository: str) -> None:
    assert judge.repository(image) == repository


def test_the_selector_is_whole() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["front", "back"]},
        {"key": "track", "operator": "NotIn", "values": ["canary"]},
        {"key": "app", "operator": "Exists"},
        {"key": "legacy", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"app": "api"}, "matchExpressions": expressions}
    wanted = "app=api,tier in (front,back),track notin (canary),app,!legacy"
    assert judge.selector({"spec": {"selector": selector}}) == wanted


@pytest.mark.parametrize(
    ("kind", "spec", "desired", "missing"),
    [
        ("deployment", {}, 20, 5),
        ("deployment", {}, 2, 0),
        ("deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}}, 20, 0),
        ("deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}}, 20, 1),
        ("deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": "10%"}}}, 15, 1),
        ("deployment", {"strategy": {"type": "Recreate"}}, 3, 3),
        ("statefulset", {}, 3, 1),
        ("daemonset", {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "30%"}}}, 5, 2),
        ("rollout", {"strategy": {"canary": {"maxUnavailable": 0}}}, 4, 0),
        ("rollout", {"strategy": {"blueGreen": {}}}, 20, 0),
    ],
)
def test_how_many_may_be_missing_while_it_rolls(kind: str, spec: dict, desired: int, missing: int) -> None:
    assert judge.missing(kind, spec, desired) == missing
