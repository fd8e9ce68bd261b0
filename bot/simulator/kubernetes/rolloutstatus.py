"""Status, conditions and phase of an Argo Rollout (argo-rollouts utils/rollout/rolloututil.go, rollout/sync.go)."""

from datetime import datetime
from typing import Any, Final

from bot.simulator.kubernetes import pods, replicasets
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.wire import Json, meta, name_of, spec_of, stamp, status_of

GENERATION: Final = "rollout.argoproj.io/workload-generation"
DEADLINE: Final = 600
"""Default of spec.progressDeadlineSeconds."""
_ABORTED: Final = "RolloutAborted"
_EXCEEDED: Final = "ProgressDeadlineExceeded"
_PAUSED: Final = "RolloutPaused"
_DONE: Final = "NewReplicaSetAvailable"
_KEPT: Final = ("currentStepIndex", "conditions")
"""Written even when zero or empty (types.go: a pointer has no omitted zero)."""


def build(cluster: Cluster, rollout: Json, current: Json, others: list[Json], now: datetime) -> Json:
    """What is counted, then what follows from it. Keeps the fields by which people give orders."""
    new = replicasets.pods_of(cluster, current)
    every = new + [pod for other in others for pod in replicasets.pods_of(cluster, other)]
    good = sum(map(pods.ready, every))
    selector = (spec_of(rollout).get("selector") or {}).get("matchLabels") or {}
    status = status_of(rollout) | {
        "observedGeneration": str(meta(rollout)["generation"]),
        "replicas": len(every),
        "updatedReplicas": len(new),
        "readyReplicas": good,
        "availableReplicas": good,
        "HPAReplicas": len(every),
        "selector": ",".join(f"{key}={value}" for key, value in selector.items()),
    }
    if noted := (meta(rollout).get("annotations") or {}).get(GENERATION):
        status["workloadObservedGeneration"] = noted
    status["conditions"] = _conditions(cluster, rollout, status, name_of(current), now)
    phase, message = _phase(rollout, status)
    status |= {"phase": phase, "message": message}
    return {key: value for key, value in status.items() if value or key in _KEPT}


def invalid(rollout: Json, why: str, now: datetime) -> Json:
    """The status of a spec that can't be."""
    base = {"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec"}
    condition = _condition(rollout, base, why, now)
    return status_of(rollout) | {
        "observedGeneration": str(meta(rollout)["generation"]),
        "conditions": [condition],
        "phase": "Degraded",
        "message": f"InvalidSpec: {why}",
    }


def health(rollout: Json) -> str:
    """Argo CD's word (resource_customizations/argoproj.io/Rollout/health.lua): a pause is Suspended."""
    status = status_of(rollout)
    if status.get("observedGeneration") != str(meta(rollout)["generation"]):
        return "Progressing"
    phase = str(status.get("phase") or "Progressing")
    return "Suspended" if phase == "Paused" else phase


def settled(rollout: Json) -> bool:
    """Nothing will change by itself."""
    return status_of(rollout).get("phase") in ("Healthy", "Degraded")


def fully_promoted(status: Json) -> bool:
    return bool(status.get("stableRS")) and status.get("stableRS") == status.get("currentPodHash")


def _phase(rollout: Json, status: Json) -> tuple[str, str]:
    for condition in status["conditions"]:
        if condition["reason"] in (_ABORTED, _EXCEEDED):
            return "Degraded", f"{condition['reason']}: {condition['message']}"
    if spec_of(rollout).get("paused"):
        return "Paused", "manually paused"
    if status.get("pauseConditions"):
        return "Paused", str(status["pauseConditions"][0]["reason"])
    return _progress(rollout, status)


def _progress(rollout: Json, status: Json) -> tuple[str, str]:
    wanted, updated = replicasets.replicas(rollout), status["updatedReplicas"]
    restart = spec_of(rollout).get("restartAt")
    why = (
        ("rollout is restarting", restart and restart != status.get("restartedAt")),
        ("more replicas need to be updated", updated < wanted),
        ("updated replicas are still becoming available", status["availableReplicas"] < updated),
        ("old replicas are pending termination", status["replicas"] > updated),
        ("waiting for all steps to complete", not fully_promoted(status)),
    )
    message = next((words for words, holds in why if holds), "")
    return ("Progressing" if message else "Healthy"), message


def _conditions(cluster: Cluster, rollout: Json, status: Json, newest: str, now: datetime) -> list[Json]:
    wanted = replicasets.replicas(rollout)
    enough, complete = status["availableReplicas"] >= wanted, fully_promoted(status)
    paused = bool(status.get("pauseConditions") or spec_of(rollout).get("paused"))
    words: tuple[tuple[str, bool, str, str], ...] = (
        (
            "Available",
            enough,
            "AvailableReason",
            f"Rollout {'has' if enough else 'does not have'} minimum availability",
        ),
        ("Paused", paused, _PAUSED, "Rollout is paused"),
        ("Completed", complete, "RolloutCompleted" if complete else "RolloutNotCompleted", "Rollout completed update"),
    )
    flat = [
        _condition(rollout, {"type": kind, "status": str(holds), "reason": reason}, message, now)
        for kind, holds, reason, message in words
    ]
    return [*flat, _progressing(cluster, rollout, status, newest, now)]


def _progressing(cluster: Cluster, rollout: Json, status: Json, newest: str, now: datetime) -> Json:
    reason = _reason(cluster, rollout, status, now)
    holds, message = {
        _ABORTED: ("False", f"Rollout aborted update to revision {_number(rollout)}"),
        _EXCEEDED: ("False", f'ReplicaSet "{newest}" has timed out progressing.'),
        _PAUSED: ("Unknown", "Rollout is paused"),
        _DONE: ("True", f'ReplicaSet "{newest}" has successfully progressed.'),
    }.get(reason, ("True", f'ReplicaSet "{newest}" is progressing.'))
    return _condition(rollout, {"type": "Progressing", "status": holds, "reason": reason}, message, now)


def _reason(cluster: Cluster, rollout: Json, status: Json, now: datetime) -> str:
    """Which holds; remembers when progress was last made. A pause stops that clock."""
    key = meta(rollout)["uid"] + " progress"
    if status.get("abort"):
        return _ABORTED
    paused = status.get("pauseConditions") or spec_of(rollout).get("paused")
    counts = ("replicas", "updatedReplicas", "availableReplicas", "currentPodHash", "currentStepIndex")
    moved = any(status_of(rollout).get(name, 0) != status.get(name, 0) for name in counts)
    wanted = replicasets.replicas(rollout)
    complete = fully_promoted(status) and status["availableReplicas"] == wanted == status["replicas"]
    if paused or moved or complete:
        cluster.notes.since[key] = now
        return _PAUSED if paused else _DONE if complete else "ReplicaSetUpdated"
    deadline = spec_of(rollout).get("progressDeadlineSeconds", DEADLINE)
    late = cluster.passed(cluster.notes.began(key, now), now, deadline)
    return _EXCEEDED if late else "ReplicaSetUpdated"


def _number(rollout: Json) -> str:
    return str((meta(rollout).get("annotations") or {}).get("rollout.argoproj.io/revision", "?"))


def _condition(rollout: Json, base: Json, message: str, now: datetime) -> Json:
    """lastTransitionTime moves with the status only."""
    found: Any = (each for each in status_of(rollout).get("conditions") or () if each["type"] == base["type"])
    old: Json = next(found, {})
    same = old.get("reason") == base["reason"] and old.get("message") == message
    return base | {
        "lastUpdateTime": old["lastUpdateTime"] if same else stamp(now),
        "lastTransitionTime": old["lastTransitionTime"] if old.get("status") == base["status"] else stamp(now),
        "message": message,
    }
