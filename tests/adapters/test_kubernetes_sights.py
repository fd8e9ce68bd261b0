"""What is kept of Kubernetes objects while they are watched, from recorded ones."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes.sights import sight
from bot.domain.sights import WELL, CertificateSight, JobSight, Kind, Owner, PodSight, RolloutSight

FIXTURES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
MADE = "2026-11-24T12:00:00Z"
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def recorded(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / name / "body.json").read_text())


def pod(name: str) -> PodSight:
    found = sight(Kind.POD, recorded(name))
    assert isinstance(found, PodSight)
    return found


def test_a_crash_loop() -> None:
    ailment = pod("pod-crashloop").ailment
    assert ailment.looping
    assert ailment.ended
    assert ailment.how.startswith("Error (")
    assert ailment.killed is None


def test_a_kill_for_memory() -> None:
    found = pod("pod-oomkilled")
    assert found.ailment.killed == found.ailment.ended
    assert found.ailment.hog
    assert found.ailment.how == "OOMKilled (137)"


def test_an_image_that_can_not_be_pulled() -> None:
    ailment = pod("pod-imagepullbackoff").ailment
    assert ailment.image
    assert ailment.firm


def test_what_no_node_has_room_for() -> None:
    ailment = pod("pod-pending-unschedulable").ailment
    assert ailment.pending
    assert "nodes are available" in ailment.why


def test_one_on_its_way_out_waits_for_nothing() -> None:
    obj = recorded("pod-pending-unschedulable")
    obj["metadata"]["deletionTimestamp"] = MADE
    found = sight(Kind.POD, obj)
    assert isinstance(found, PodSight)
    assert found.ailment is WELL


def test_an_init_container_that_runs_is_no_waiting() -> None:
    obj = recorded("pod-pending-unschedulable")
    obj["status"]["initContainerStatuses"] = [{"name": "migrate", "state": {"running": {"startedAt": MADE}}}]
    found = sight(Kind.POD, obj)
    assert isinstance(found, PodSight)
    assert found.ailment is WELL


@pytest.mark.parametrize(
    ("controller", "labels", "owner"),
    [
        (("ReplicaSet", "api-6c9f"), {"pod-template-hash": "6c9f"}, Owner("deployment", "api")),
        (("ReplicaSet", "api-77"), {"rollouts-pod-template-hash": "77"}, Owner("rollout", "api")),
        (("ReplicaSet", "bare"), {}, Owner("deployment", "bare")),
        (("StatefulSet", "db"), {}, Owner("statefulset", "db")),
        (("DaemonSet", "agent"), {}, Owner("daemonset", "agent")),
        (("Job", "backup-29384756"), {}, Owner("cronjob", "backup")),
        (("Job", "migrate-2"), {}, Owner("job", "migrate-2")),
        (None, {}, Owner("pod", "lonely")),
    ],
)
def test_whose_pod_it_is(controller: tuple[str, str] | None, labels: dict[str, str], owner: Owner) -> None:
    owners = [{"kind": controller[0], "name": controller[1], "controller": True}] if controller else []
    meta = {"name": "lonely", "uid": "1", "creationTimestamp": MADE, "labels": labels, "ownerReferences": owners}
    found = sight(Kind.POD, {"metadata": meta, "status": {"phase": "Running"}})
    assert found == PodSight("1", owner, 0, WELL)
    assert found.ailment is WELL, "ten thousand pods that are well share one"


@pytest.mark.parametrize(
    ("name", "stuck"), [("deployment-complete", False), ("deployment-progressing", False), ("deployment-stuck", True)]
)
def test_deployments(name: str, stuck: bool) -> None:
    found = sight(Kind.DEPLOYMENT, recorded(name))
    assert isinstance(found, RolloutSight)
    assert bool(found.stuck) is stuck


def test_a_statefulset_under_way() -> None:
    found = sight(Kind.STATEFULSET, recorded("statefulset-rolling"))
    assert isinstance(found, RolloutSight)
    assert found.under_way is not None
    done = deepcopy(recorded("statefulset-rolling"))
    done["spec"]["updateStrategy"] = {"type": "OnDelete"}
    left = sight(Kind.STATEFULSET, done)
    assert isinstance(left, RolloutSight)
    assert left.under_way is None, "it waits for somebody's hand"


def test_a_rollout_whose_template_stands_elsewhere() -> None:
    spec = {"workloadRef": {"kind": "Deployment", "name": "api"}}
    status = {"phase": "Degraded", "message": "ProgressDeadlineExceeded: timed out", "observedGeneration": "1"}
    meta = {"name": "api", "generation": 1}
    found = sight(Kind.ROLLOUT, {"metadata": meta, "spec": spec, "status": status})
    assert found == RolloutSight(Owner("rollout", "api"), "ProgressDeadlineExceeded: timed out")


def test_jobs() -> None:
    meta = {"name": "backup-29384756", "creationTimestamp": MADE}
    meta["ownerReferences"] = [{"kind": "CronJob", "name": "backup", "controller": True}]  # type: ignore[assignment]
    failed = {"type": "Failed", "status": "True", "lastTransitionTime": MADE, "message": "token=abcdefghijkl is wrong"}
    found = sight(Kind.JOB, {"metadata": meta, "status": {"conditions": [failed]}})
    assert isinstance(found, JobSight)
    assert (found.owner, found.ended, found.failed) == (Owner("cronjob", "backup"), AT, True)
    assert "abcdefghijkl" not in found.why, "a secret leaves the adapter masked"
    running = {"type": "Failed", "status": "False"}
    assert sight(Kind.JOB, {"metadata": meta, "status": {"conditions": [running]}}) == JobSight(found.owner)


def test_certificates() -> None:
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": MADE, "message": "Issuing certificate"}
    status = {"conditions": [ready], "notBefore": MADE, "notAfter": "2027-02-22T12:00:00Z"}
    meta = {"name": "web", "creationTimestamp": MADE}
    found = sight(Kind.CERTIFICATE, {"metadata": meta, "status": status})
    life = timedelta(days=90)
    assert found == CertificateSight(Owner("certificate", "web"), AT, "Issuing certificate", AT + life, life)
    fresh = sight(Kind.CERTIFICATE, {"metadata": meta})
    assert fresh == CertificateSight(Owner("certificate", "web"), AT), "nobody has looked at it yet"


@pytest.mark.parametrize("kind", list(Kind))
def test_what_no_controller_would_write_is_refused(kind: Kind) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        sight(kind, {"metadata": {}, "status": {"conditions": 7, "containerStatuses": [1]}})
