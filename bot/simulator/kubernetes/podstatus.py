"""What a pod's status says at each stage of its life (fixtures/kubernetes/pod-*). Pure."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from bot.simulator.kubernetes.wire import Json, stamp


class Stage(StrEnum):
    UNSCHEDULED = "unscheduled"
    UNSCHEDULABLE = "unschedulable"
    CREATING = "creating"
    PULL_FAILED = "pull failed"
    BACK_OFF = "back-off"
    RUNNING = "running"
    CRASHED = "crashed"
    READY = "ready"


_PENDING: Final = (Stage.UNSCHEDULED, Stage.UNSCHEDULABLE, Stage.CREATING, Stage.PULL_FAILED, Stage.BACK_OFF)
_EXIT_CODES: Final = {"OOMKilled": 137}


def build(
    spec: Json, stage: Stage, now: datetime, *, restarts: int, before: Json | None = None, killed: str = ""
) -> Json:
    """Status of a pod that enters *stage* now. *killed*: why the last container ended, when it just did."""
    old = before or {}
    status: Json = {
        "phase": "Pending" if stage in _PENDING else "Running",
        "conditions": _conditions(spec, stage, now, old),
        "qosClass": "Burstable",
    }
    if stage in (Stage.UNSCHEDULED, Stage.UNSCHEDULABLE):
        return status
    address = _address(spec)
    status |= {"hostIP": address["host"], "startTime": old.get("startTime", stamp(now))}
    if stage is not Stage.CREATING:
        status |= {"podIP": address["pod"], "podIPs": [{"ip": address["pod"]}]}
    last = _last_state(old, now, killed)
    status["containerStatuses"] = [
        _container(container, stage, _running(old) or {"startedAt": stamp(now)}, restarts, last)
        for container in spec["containers"]
    ]
    return status


def _address(spec: Json) -> dict[str, str]:
    digest = sha256(str(spec.get("nodeName")).encode()).digest()
    return {"host": f"10.20.0.{digest[0]}", "pod": f"10.244.{digest[1]}.{digest[2]}"}


def _conditions(spec: Json, stage: Stage, now: datetime, old: Json) -> list[Json]:
    if stage is Stage.UNSCHEDULED:
        return []
    if stage is Stage.UNSCHEDULABLE:
        message = "0 nodes are available: all nodes were unschedulable. preemption: no victims found."
        return [_condition("PodScheduled", "False", now, old, "Unschedulable", message)]
    ready = stage is Stage.READY
    names = ", ".join(container["name"] for container in spec["containers"])
    why = ("", "") if ready else ("ContainersNotReady", f"containers with unready status: [{names}]")
    return [
        _condition("PodReadyToStartContainers", str(stage is not Stage.CREATING), now, old),
        _condition("Initialized", "True", now, old),
        _condition("Ready", str(ready), now, old, *why),
        _condition("ContainersReady", str(ready), now, old, *why),
        _condition("PodScheduled", "True", now, old),
    ]


def _condition(name: str, status: str, now: datetime, old: Json, reason: str = "", message: str = "") -> Json:
    previous = next((c for c in old.get("conditions") or () if c["type"] == name), None)
    same = previous is not None and previous["status"] == status
    since = previous["lastTransitionTime"] if previous is not None and same else stamp(now)
    base: Json = {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
    return base | ({"reason": reason, "message": message} if reason else {})


def _last_state(old: Json, now: datetime, killed: str) -> Json:
    if not killed:
        statuses = old.get("containerStatuses") or ()
        return next((status["lastState"] for status in statuses), {})
    ended = {"exitCode": _EXIT_CODES.get(killed, 1), "reason": killed}
    return {"terminated": ended | {"startedAt": _began(old, now), "finishedAt": stamp(now)}}


def _began(old: Json, now: datetime) -> str:
    """When the life that ends now began; in a crash loop, when the one before it ended."""
    before = next((status["lastState"].get("terminated") for status in old.get("containerStatuses") or ()), None) or {}
    began: str = _running(old).get("startedAt") or before.get("finishedAt") or old.get("startTime") or stamp(now)
    return began


def _running(old: Json) -> Json:
    """The running state shown before, so that becoming ready does not look like a new start."""
    statuses = old.get("containerStatuses") or ()
    return next((status["state"]["running"] for status in statuses if "running" in status["state"]), {})


def _state(container: Json, stage: Stage, running: Json) -> Json:
    image = container["image"]
    waiting: dict[Stage, tuple[str, str]] = {
        Stage.CREATING: ("ContainerCreating", ""),
        Stage.PULL_FAILED: ("ErrImagePull", f'failed to pull and unpack image "{image}": not found'),
        Stage.BACK_OFF: ("ImagePullBackOff", f'Back-off pulling image "{image}"'),
        Stage.CRASHED: ("CrashLoopBackOff", f"back-off 10s restarting failed container={container['name']}"),
    }
    if stage not in waiting:
        return {"running": running}
    reason, message = waiting[stage]
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def _container(container: Json, stage: Stage, running: Json, restarts: int, last: Json) -> Json:
    up = stage in (Stage.RUNNING, Stage.READY)
    image = container["image"]
    status: dict[str, Any] = {
        "name": container["name"],
        "state": _state(container, stage, running),
        "lastState": last,
        "ready": stage is Stage.READY,
        "restartCount": restarts,
        "image": image,
        "imageID": image if up else "",
        "started": up,
    }
    return status
