"""Reading Kubernetes objects, as plain JSON, into what people ask: is it done, is it stuck, what ails a pod. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.adapters.kubernetes import argorollouts, judge_deaths, judge_images, judge_scheduling
from bot.adapters.kubernetes.notes import OPERATION
from bot.domain.phrases import Phrase, phrase, verbatim
from bot.ports.cluster import Pod, Rollout

Object = dict[str, Any]
ROLLOUT = "rollout"
"""The kind of Argo Rollouts."""


def rollout(kind: str, obj: Object) -> Rollout:
    """State of a workload. Rules: kubectl's pkg/polymorphichelpers/rollout_status.go; absent counters are 0."""
    spec, status, template = obj["spec"], obj.get("status", {}), obj["spec"]["template"]
    counts = _daemonset(status) if kind == "daemonset" else _replicas(spec, status)
    desired, updated, ready, available = counts
    seen = _observed(kind, obj)
    stuck = argorollouts.stuck(obj) if kind == ROLLOUT else _stuck(status) or _left_alone(spec, status, counts)
    done = argorollouts.done(obj) if kind == ROLLOUT else _done(kind, spec, status, counts)
    # On a Rollout's template it would be another version: there it stands on the object itself.
    marked = (obj if kind == ROLLOUT else template).get("metadata", {}).get("annotations") or {}
    return Rollout(
        desired=desired,
        updated=updated,
        ready=ready,
        available=available,
        done=seen and stuck is None and done,
        stuck=stuck if seen else None,
        images=tuple(container["image"] for container in template["spec"]["containers"]),
        template=template_hash(obj),
        paused=spec.get("paused") is True,
        restarted_by=marked.get(OPERATION, ""),
        progressive=argorollouts.progressive(obj) if kind == ROLLOUT else None,
        missing=missing(kind, spec, desired),
    )


def _observed(kind: str, obj: Object) -> bool:
    if kind == ROLLOUT:
        return argorollouts.observed(obj)
    return bool(obj["metadata"].get("generation", 0) <= obj.get("status", {}).get("observedGeneration", 0))


def missing(kind: str, spec: Object, desired: int) -> int:
    """How many of *desired* pods its strategy lets be missing while it rolls (kubernetes pkg/controller, their utils).

    Per cent of a Deployment round down, and never is nothing allowed to move; those of a DaemonSet round up.
    """
    strategy = spec.get("updateStrategy" if kind in {"statefulset", "daemonset"} else "strategy") or {}
    if strategy.get("type") == "Recreate":
        return desired
    if "blueGreen" in strategy:  # the new ones are complete before anything turns to them
        return 0
    rolling: Object = strategy.get("canary") if kind == ROLLOUT else strategy.get("rollingUpdate")  # type: ignore[assignment]
    rolling = rolling or {}
    if kind in {"statefulset", "daemonset"}:
        return max(_share(rolling.get("maxUnavailable"), 1, desired, up=True), 1)
    least = _share(rolling.get("maxUnavailable"), "25%", desired, up=False)
    return least or int(not _share(rolling.get("maxSurge"), "25%", desired, up=True))


def _share(value: object, usual: int | str, total: int, *, up: bool) -> int:
    """An IntOrString: a number, or per cent of *total*."""
    text = str(usual if value is None else value)
    if not text.endswith("%"):
        return int(text)
    whole, rest = divmod(total * int(text[:-1]), 100)
    return whole + int(up and rest > 0)


def template_hash(obj: Object) -> str:
    """Changes only when the pod template does."""
    return sha256(json.dumps(obj["spec"]["template"], sort_keys=True).encode()).hexdigest()[:16]


def selector(obj: Object) -> str:
    """The label selector of a workload, as a query parameter (apimachinery pkg/labels)."""
    wanted = obj["spec"]["selector"]
    terms = [f"{name}={value}" for name, value in (wanted.get("matchLabels") or {}).items()]
    for each in wanted.get("matchExpressions") or ():
        key, values = each["key"], ",".join(each.get("values") or ())
        listed = f"{key} {each['operator'].lower()} ({values})"
        terms.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(each["operator"], listed))
    return ",".join(terms)


def repository(image: str) -> str:
    """*image* without its tag and digest; a port of the registry stays."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _replicas(spec: Object, status: Object) -> tuple[int, int, int, int]:
    return (
        spec.get("replicas", 1), status.get("updatedReplicas", 0),
        status.get("readyReplicas", 0), status.get("availableReplicas", 0),
    )  # fmt: skip


def _daemonset(status: Object) -> tuple[int, int, int, int]:
    return (
        status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0),
        status.get("numberReady", 0), status.get("numberAvailable", 0),
    )  # fmt: skip


def _done(kind: str, spec: Object, status: Object, counts: tuple[int, int, int, int]) -> bool:
    desired, updated, ready, available = counts
    match kind:
        case "statefulset":
            partition = spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("partition") or 0
            if ready < desired:
                return False
            if partition:
                return updated >= desired - partition
            return bool(status.get("updateRevision") == status.get("currentRevision"))
        case "daemonset":
            return updated >= desired and available >= desired
        case _:
            return updated >= desired and status.get("replicas", 0) <= updated and available >= updated


def _stuck(status: Object) -> Phrase | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return verbatim(condition.get("message") or "progress deadline exceeded")
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return verbatim(condition.get("message") or "pods can't be created")
    return None


def _left_alone(spec: Object, status: Object, counts: tuple[int, int, int, int]) -> Phrase | None:
    """A changed template of this strategy waits for somebody's hand (contracts.md, section 8)."""
    desired, updated, _, _ = counts
    old = updated < desired and status.get("updateRevision", "new") != status.get("currentRevision", "old")
    if not old or spec.get("updateStrategy", {}).get("type") != "OnDelete":
        return None
    return phrase("its strategy is OnDelete: a pod changes only when it is deleted")


def pod(obj: Object) -> Pod:
    """One pod. ``phase`` says Running for a crash loop, so the container states are read as well."""
    status, meta = obj.get("status", {}), obj["metadata"]
    containers = status.get("containerStatuses") or []
    ready = bool(containers) and all(container.get("ready") for container in containers)
    started = status.get("startTime")
    return Pod(
        name=meta["name"],
        phase="Terminating" if meta.get("deletionTimestamp") else status.get("phase", "Unknown"),
        ready=ready and not meta.get("deletionTimestamp"),
        restarts=sum(container.get("restartCount", 0) for container in containers),
        started_at=datetime.fromisoformat(started) if started else None,
        node=obj.get("spec", {}).get("nodeName", ""),
        trouble=_trouble(status),
        uid=meta.get("uid", ""),
    )


def _trouble(status: Object) -> Phrase | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return judge_scheduling.words(str(condition.get("message") or condition.get("reason") or ""))
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        if trouble := _container(container):
            return trouble
    if status.get("phase") == "Failed":  # evicted, or its node was shut down: no container is left to tell
        return verbatim(status.get("message") or status.get("reason") or "Failed")
    return None


def _container(container: Object) -> Phrase | None:
    waiting = container.get("state", {}).get("waiting") or {}
    last = container.get("lastState", {}).get("terminated") or {}
    ended = container.get("state", {}).get("terminated") or {}
    reason = waiting.get("reason", "")
    if reason in judge_images.FAILING:
        return judge_images.words(container.get("image", ""), reason, ())  # its message comes and goes with each try
    if reason == "CrashLoopBackOff":
        how = judge_deaths.words(last) if last else phrase("unknown")
        return phrase("crashes again and again; last time: {how}", how=how)
    if ended.get("exitCode"):  # between its death and the back-off
        return judge_deaths.words(ended)
    if last.get("reason") == "OOMKilled" and not container.get("ready"):
        return judge_deaths.words(last)
    if reason and reason not in {"ContainerCreating", "PodInitializing"}:
        return phrase("waits: {reason}", reason=reason)
    return None
