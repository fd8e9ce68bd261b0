"""Status and conditions of a Deployment (kubernetes/kubernetes pkg/controller/deployment/{sync,progress}.go)."""

from datetime import datetime
from typing import Final

from bot.simulator.kubernetes import pods, replicasets
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.sizes import limits
from bot.simulator.kubernetes.wire import Json, meta, name_of, spec_of, stamp, status_of

NO_DEADLINE: Final = 2_147_483_647
"""progressDeadlineSeconds with which there is no Progressing condition at all."""
DEADLINE: Final = 600
_DONE: Final = "NewReplicaSetAvailable"
_EXCEEDED: Final = "ProgressDeadlineExceeded"


def build(cluster: Cluster, deployment: Json, current: Json, olds: list[Json], now: datetime) -> Json:
    """The status as of now, from the pods of the newest ReplicaSet and of the old ones."""
    new = replicasets.pods_of(cluster, current)
    every = new + [pod for old in olds for pod in replicasets.pods_of(cluster, old)]
    good = sum(pods.ready(pod) for pod in every)
    wanted = replicasets.replicas(deployment)
    counts = {
        "replicas": len(every),
        "updatedReplicas": len(new),
        "readyReplicas": good,
        "availableReplicas": good,
        "unavailableReplicas": max(max(wanted, len(every)) - good, 0),
    }
    status: Json = {"observedGeneration": meta(deployment)["generation"]}
    status |= {key: count for key, count in counts.items() if count}
    status["conditions"] = [
        condition
        for condition in (
            _available(deployment, good, now),
            _progressing(cluster, deployment, status, name_of(current), now),
        )
        if condition
    ]
    return status


def complete(deployment: Json) -> bool:
    """All pods are of the newest version and available, none is left over."""
    return _complete(deployment, status_of(deployment))


def stuck(status: Json) -> bool:
    return any(c["reason"] == _EXCEEDED for c in status.get("conditions") or ())


def _complete(deployment: Json, status: Json) -> bool:
    wanted = replicasets.replicas(deployment)
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(name, 0) == wanted for name in names) and not status.get("unavailableReplicas")


def _available(deployment: Json, good: int, now: datetime) -> Json:
    _, missing = limits(deployment)
    if good >= replicasets.replicas(deployment) - missing:
        reason, message = "MinimumReplicasAvailable", "Deployment has minimum availability."
    else:
        reason, message = "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
    holds = reason == "MinimumReplicasAvailable"
    return _condition(deployment, {"type": "Available", "status": str(holds), "reason": reason}, message, now)


def _progressing(cluster: Cluster, deployment: Json, status: Json, newest: str, now: datetime) -> Json | None:
    deadline = spec_of(deployment).get("progressDeadlineSeconds", DEADLINE)
    if deadline == NO_DEADLINE:
        return None
    reason = _reason(cluster, deployment, status, deadline, now)
    words = {
        _DONE: f'ReplicaSet "{newest}" has successfully progressed.',
        _EXCEEDED: f'ReplicaSet "{newest}" has timed out progressing.',
        "DeploymentPaused": "Deployment is paused",
    }
    holds = {_EXCEEDED: "False", "DeploymentPaused": "Unknown"}.get(reason, "True")
    base = {"type": "Progressing", "status": holds, "reason": reason}
    return _condition(deployment, base, words.get(reason, f'ReplicaSet "{newest}" is progressing.'), now)


def _reason(cluster: Cluster, deployment: Json, status: Json, deadline: int, now: datetime) -> str:
    """Which Progressing reason holds; remembers when progress was last made."""
    key = meta(deployment)["uid"] + " progress"
    before = _find(deployment, "Progressing").get("reason", "")
    if spec_of(deployment).get("paused"):
        return "DeploymentPaused"
    if _complete(deployment, status):
        cluster.notes.since[key] = now
        return _DONE
    if _moved(status_of(deployment), status):
        cluster.notes.since[key] = now
    elif before == _DONE:
        return _DONE
    late = cluster.passed(cluster.notes.began(key, now), now, deadline)
    return _EXCEEDED if late else "ReplicaSetUpdated"


def _moved(old: Json, new: Json) -> bool:
    """Progress: a new generation, more updated or ready pods, or fewer old ones."""
    if old.get("observedGeneration") != new["observedGeneration"]:
        return True
    grown = any(new.get(key, 0) > old.get(key, 0) for key in ("updatedReplicas", "readyReplicas"))
    left_before = old.get("replicas", 0) - old.get("updatedReplicas", 0)
    return grown or new.get("replicas", 0) - new.get("updatedReplicas", 0) < left_before


def _find(deployment: Json, name: str) -> Json:
    conditions: list[Json] = status_of(deployment).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == name), {})


def _condition(deployment: Json, base: Json, message: str, now: datetime) -> Json:
    """The condition with its two times: update moves with reason or message, transition with status."""
    old = _find(deployment, base["type"])
    updated = old.get("reason") != base["reason"] or old.get("message") != message
    turned = old.get("status") != base["status"]
    return {
        "type": base["type"],
        "status": base["status"],
        "lastUpdateTime": stamp(now) if updated else old["lastUpdateTime"],
        "lastTransitionTime": stamp(now) if turned else old["lastTransitionTime"],
        "reason": base["reason"],
        "message": message,
    }
