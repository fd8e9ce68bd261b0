"""Reading revisions, events and GitOps objects: recorded ones, and the ways real servers differ."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes import flux
from bot.adapters.kubernetes.argocd import changes as argocd_changes
from bot.adapters.kubernetes.evidence import Step, lost, moment, nodes, rescales, scaled, steps
from bot.adapters.kubernetes.revisions import (
    Revision,
    by_hand,
    imaged_by,
    images,
    of_replicasets,
    restarted_by,
    rollouts,
)
from bot.domain.changes import Loss, NodeState, NodeTurned, Restarted, Rolled, Scaled, Synced, SyncState

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EVER = datetime(2026, 1, 1, tzinfo=UTC)
UID = "3f1d438a-5e2a-4c1b-9d10-a1b2c3f72826"


def recorded(case: str) -> Any:
    return json.loads((FIXTURES / case / "body.json").read_bytes())


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


# --- events ---


def event(reason: str, message: str, minute: float = 0, name: str = "api", **more: Any) -> dict[str, Any]:
    base = {"metadata": {}, "involvedObject": {"name": name}, "reason": reason, "message": message}
    return base | {"lastTimestamp": at(minute).isoformat()} | more


def test_recorded_events_have_their_times() -> None:
    found = [moment(one) for one in recorded("kubernetes/event-list")["items"]]
    assert found[0] == datetime(2026, 11, 24, 8, 31, tzinfo=UTC)
    assert found[1] == datetime(2026, 11, 24, 8, 20, 0, 123456, tzinfo=UTC)


def test_a_series_tells_its_last_time() -> None:
    series = {"count": 3, "lastObservedTime": "2026-11-24T12:05:00.000000Z"}
    assert moment(event("x", "", lastTimestamp=None, eventTime="2026-11-24T12:00:00.000000Z", series=series)) == at(5)


@pytest.mark.parametrize(
    ("message", "step"),
    [
        ("Scaled down replica set api-6c9f from 4 to 2", Step(NOON, "api-6c9f", 4, 2)),
        ("Scaled up replica set api-6c9f to 4 from 2", Step(NOON, "api-6c9f", 2, 4)),
        ("Scaled up replica set api-6c9f to 3", Step(NOON, "api-6c9f", None, 3)),
        ("Scaled up ReplicaSet api-6c9f (revision 2) from 0 to 1", Step(NOON, "api-6c9f", 0, 1)),
        (
            "(combined from similar events): Scaled up replica set api-6c9f from 0 to 1",
            Step(NOON, "api-6c9f", 0, 1),
        ),
    ],
)
def test_a_resize_is_read_in_each_form(message: str, step: Step) -> None:
    assert steps([event("ScalingReplicaSet", message), event("Other", message)]) == [step]


def test_an_autoscalers_word_belongs_to_the_step_after_it() -> None:
    above = "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    asked = rescales([event("SuccessfulRescale", above, name="some-hpa")])
    assert asked == [(NOON, "some-hpa", 4)]
    step = Step(NOON + timedelta(seconds=1), "api-1", 2, 4)
    assert list(scaled([step], asked, "api")) == [Scaled(step.at, 2, 4, autoscaler=True)]
    assert list(scaled([Step(at(1), "api-1", 2, 4)], asked, "api")) == [Scaled(at(1), 2, 4)]
    assert list(scaled([], asked, "api")) == []
    assert list(scaled([], [(NOON, "api", 4)], "api")) == [Scaled(NOON, None, 4, autoscaler=True)]


def test_an_autoscaler_that_goes_on_is_one_change() -> None:
    sizes = (2, 3, 4, 6, 5)
    found = [Step(at(n), "api-1", old, new) for n, (old, new) in enumerate(pairwise(sizes))]
    asked = [(step.at, "hpa", step.after) for step in found]
    assert list(scaled(found, asked, "api")) == [
        Scaled(at(2), 2, 6, autoscaler=True),
        Scaled(at(3), 6, 5, autoscaler=True),
    ]
    assert len(list(scaled(found, [], "api"))) == 4


def test_nodes_are_told_by_their_last_turn() -> None:
    events = [
        event("NodeNotReady", "Node n1 status is now: NodeNotReady", 5, "n1"),
        event("NodeNotReady", "Node n1 status is now: NodeNotReady", 1, "n1"),
        event("NodeReady", "Node n1 status is now: NodeReady", 3, "n1"),
        event("NodeNotReady", "Node n2 status is now: NodeNotReady", 3, "n2"),
        event("Starting", "Starting kubelet.", 3, "n1"),
    ]
    assert list(nodes(events, frozenset({"n1"}))) == [
        NodeTurned(at(5), "n1", NodeState.NOT_READY), NodeTurned(at(3), "n1", NodeState.READY),
    ]  # fmt: skip


def test_losses_are_counted_by_pod() -> None:
    events = [event("Evicted", "The node was low on resource: memory.", n, name) for n, name in enumerate("aab")]
    (found,) = lost(events, [], EVER, lambda name: name in "ab")
    assert (found.how, found.count, found.pod, found.at) == (Loss.EVICTED, 2, "b", at(2))
    assert lost(events, [], EVER, lambda _: False) == []


def test_a_recorded_pod_that_ran_out_of_memory() -> None:
    (found,) = lost([], [recorded("kubernetes/pod-oomkilled")], EVER, lambda _: True)
    assert found.how is Loss.MEMORY
    assert lost([], [recorded("kubernetes/pod-oomkilled")], datetime(2027, 1, 1, tzinfo=UTC), lambda _: True) == []


# --- revisions ---


def template(image: str = "api:1", **notes: str) -> dict[str, Any]:
    return {"metadata": {"annotations": notes}, "spec": {"containers": [{"name": "api", "image": image}]}}


def test_recorded_revisions_come_in_their_order() -> None:
    found = of_replicasets(recorded("kubernetes/replicasets-history")["items"], UID, [])
    assert [each.number for each in found] == [8], "the others belong to other Deployments"
    assert images(found[0].template) == ("registry.example.com/shop/checkout:1.4.2",)
    assert list(rollouts(found, EVER, "")) == [Rolled(found[0].at, "8", "registry.example.com/shop/checkout:1.4.2")]  # type: ignore[arg-type]


def test_who_restarted_is_read_from_the_managed_fields() -> None:
    mark = {"f:kubectl.kubernetes.io/restartedAt": {}}
    fields = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {".": {}, **mark}}}}}
    entries = [
        {"manager": "helm", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-rollout", "fieldsV1": fields},
    ]
    assert restarted_by({"metadata": {"managedFields": entries}}) == "kubectl-rollout"
    assert restarted_by(recorded("kubernetes/deployment-restarted")) == ""
    assert restarted_by({"metadata": {}}) == ""


def test_the_client_that_set_the_image_is_the_latest_that_the_server_notes() -> None:
    def entry(manager: str, time: str, name: str = "api") -> dict:
        containers = {f'k:{{"name":"{name}"}}': {"f:image": {}}}
        return {
            "manager": manager,
            "time": time,
            "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}},
        }

    entries = [
        entry("kubectl-set", "2026-03-01T12:00:00Z"), entry("argocd-controller", "2026-02-01T12:00:00Z"),
        entry("injector", "2026-03-02T12:00:00Z", "proxy"),
    ]  # fmt: skip
    spec = {"template": {"spec": {"containers": [{"name": "api"}, {"name": "proxy"}]}}}
    assert imaged_by({"metadata": {"managedFields": entries}, "spec": spec}) == "kubectl-set"
    assert imaged_by({"metadata": {}, "spec": spec}) == ""


MARK, OPERATION = "kubectl.kubernetes.io/restartedAt", "pult.dev/operation"


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (template("api:1", **{MARK: "x"}), Restarted(at(5), "kubectl-rollout")),
        (template("api:1", **{MARK: "x", OPERATION: "op-1"}), Restarted(at(5), "kubectl-rollout", "op-1")),
        (template("api:2", **{MARK: "x"}), Rolled(at(5), "2", "api:2")),
        (template("api:2"), Rolled(at(5), "2", "api:2")),
        (template("api:1"), Rolled(at(5), "2")),
    ],
)
def test_a_revision_tells_what_made_it(after: dict[str, Any], told: Rolled | Restarted) -> None:
    revisions = [Revision(1, "api-1", EVER, template()), Revision(2, "api-2", at(5), after)]
    assert list(rollouts(revisions, NOON, "kubectl-rollout")) == [told]


def test_only_the_last_restart_is_known_by_its_client() -> None:
    revisions = [
        Revision(1, "api-1", EVER, template()),
        Revision(2, "api-2", at(1), template(**{MARK: "1"})),
        Revision(3, "api-3", at(2), template(**{MARK: "2"})),
    ]
    assert list(rollouts(revisions, NOON, "kubectl-rollout")) == [Restarted(at(1)), Restarted(at(2), "kubectl-rollout")]


def replicaset(name: str, number: int, made: datetime, image: str, earlier: str = "") -> dict[str, Any]:
    notes = {"deployment.kubernetes.io/revision": str(number)}
    notes |= {"deployment.kubernetes.io/revision-history": earlier} if earlier else {}
    meta = {
        "name": name,
        "creationTimestamp": made.isoformat(),
        "annotations": notes,
        "ownerReferences": [{"uid": UID}],
    }
    return {"metadata": meta, "spec": {"template": template(image)}}


def rolling(minute: float, old: str, new: str, count: int = 2) -> list[Step]:
    """The steps of one rollout, ten seconds apart."""
    times = (at(minute) + timedelta(seconds=10 * n) for n in range(2 * count))
    found = []
    for n in range(count):
        found.append(Step(next(times), new, n, n + 1))
        found.append(Step(next(times), old, count - n, count - n - 1))
    return found


def test_a_rollback_is_dated_by_its_first_step() -> None:
    resized = [*rolling(0, "api-1", "api-2"), *rolling(10, "api-2", "api-1")]
    listed = [replicaset("api-1", 3, EVER, "api:1", earlier="1"), replicaset("api-2", 2, NOON, "api:2")]
    found = of_replicasets(listed, UID, resized)
    assert [(each.number, each.at, each.back) for each in found] == [
        (1, EVER, False),
        (2, NOON, False),
        (3, at(10), True),
    ]
    assert list(rollouts(found, NOON, "")) == [Rolled(NOON, "2", "api:2"), Rolled(at(10), "3", "api:1", back=True)]
    assert list(by_hand(resized, found, recreated=False)) == []


def test_a_rollback_whose_steps_are_forgotten_has_no_time_and_hides_no_scaling() -> None:
    listed = [replicaset("api-1", 3, EVER, "api:1", earlier="1"), replicaset("api-2", 2, at(-90), "api:2")]
    step = Step(NOON, "api-1", 4, 2)
    found = of_replicasets(listed, UID, [step])
    assert list(rollouts(found, at(-60), "")) == []
    assert list(by_hand([step], found, recreated=False)) == [step]


REVISIONS = [Revision(1, "api-1", EVER, template()), Revision(2, "api-2", NOON, template("api:2"))]


@pytest.mark.parametrize(
    "hand",
    [
        Step(at(-5), "api-1", 4, 2),
        Step(at(-5), "api-1", 4, 0),
        Step(at(5), "api-2", 2, 5),
        Step(at(5), "api-2", 2, 0),
    ],
)
def test_scaling_before_and_after_a_rollout_is_by_hand(hand: Step) -> None:
    resized = sorted([hand, *rolling(0, "api-1", "api-2")], key=lambda step: step.at)
    assert list(by_hand(resized, REVISIONS, recreated=False)) == [hand]


def test_scaling_to_nothing_and_back_is_by_hand() -> None:
    both = [Step(at(20), "api-2", 4, 0), Step(at(25), "api-2", 0, 4)]
    assert list(by_hand(both, REVISIONS, recreated=False)) == both


def test_where_all_old_pods_go_first_that_is_no_scaling() -> None:
    resized = [Step(at(-1), "api-1", 4, 0), Step(at(0), "api-2", 0, 4)]
    assert list(by_hand(resized, REVISIONS, recreated=True)) == []
    early = Step(at(-30), "api-1", 4, 0)
    assert list(by_hand([early], REVISIONS, recreated=True)) == [early]


# --- GitOps ---

SINCE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def argocd(case: str) -> list[Synced]:
    return list(argocd_changes(recorded(f"argocd-cr/{case}"), SINCE))


def test_argo_cd_as_recorded() -> None:
    first, second = argocd("rolled-back")
    assert first == Synced(SINCE.replace(minute=30, second=40), "argocd", "9d2f0c1", by="admin")
    assert second == Synced(SINCE.replace(minute=40, second=20), "argocd", "1b2c3d4", by="pult", back=True)
    assert [each.state for each in argocd("operation-running")][-1] is SyncState.RUNNING
    assert [each.state for each in argocd("operation-failed")][-1] is SyncState.FAILED
    assert all(each.state is SyncState.DONE for each in argocd("synced-healthy"))


def test_argo_cd_with_several_sources_and_by_itself() -> None:
    entry = {
        "id": 0, "revisions": ["9d2f0c1e5b7a4c3d8e6f1a2b3c4d5e6f70819293", "1.7.2"],
        "deployedAt": "2026-11-24T08:30:00Z", "initiatedBy": {"automated": True},
    }  # fmt: skip
    (found,) = argocd_changes({"metadata": {}, "status": {"history": [entry]}}, SINCE)
    assert (found.revision, found.by, found.back) == ("9d2f0c1, 1.7.2", "", False)
    assert list(argocd_changes({"metadata": {}}, SINCE)) == []


def test_argo_cds_error_may_have_no_result() -> None:
    state = {"phase": "Error", "startedAt": "2026-11-24T08:30:00Z", "finishedAt": "2026-11-24T08:30:01Z"}
    (found,) = argocd_changes({"metadata": {}, "status": {"operationState": state}}, SINCE)
    assert (found.state, found.revision) == (SyncState.FAILED, "")


def test_flux_as_recorded() -> None:
    ready = recorded("flux-cr/kustomization-ready")
    (done,) = flux.kustomization_changes(ready, SINCE)
    assert done == Synced(SINCE.replace(minute=20), "flux", "731f7ea"), "since it was first applied"
    assert list(flux.kustomization_changes(ready, SINCE.replace(minute=25))) == [], "ready anew is not applied anew"
    del ready["status"]["history"]
    (plain,) = flux.kustomization_changes(ready, SINCE)
    assert plain.at == SINCE.replace(minute=31, second=5)
    assert [each.state for each in flux.kustomization_changes(recorded("flux-cr/kustomization-failed"), SINCE)] == [
        SyncState.FAILED
    ]


def test_flux_is_believed_for_the_generation_it_saw_only() -> None:
    ready = recorded("flux-cr/kustomization-ready")
    ready["metadata"]["generation"] += 1
    assert list(flux.kustomization_changes(ready, SINCE)) == []


def test_helm_releases_as_recorded() -> None:
    (done,) = flux.helmrelease_changes(recorded("flux-cr/helmrelease-ready"), SINCE)
    assert done == Synced(SINCE, "flux", "cart 1.7.2")
    failed = list(flux.helmrelease_changes(recorded("flux-cr/helmrelease-failed"), SINCE))
    assert failed[0].state is SyncState.FAILED
