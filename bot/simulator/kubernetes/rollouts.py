"""The Argo Rollouts controller for canaries without traffic routing (argo-rollouts rollout/canary.go, pause.go).

It takes its orders as the real one does: ``status.pauseConditions`` taken away, ``status.promoteFull``,
``status.abort``, ``spec.paused``, ``spec.restartAt``, and a template that is put back.
"""

import copy
import math
import re
from datetime import datetime
from typing import Final

from bot.simulator.kubernetes import pods, replicasets, rolloutstatus
from bot.simulator.kubernetes.cluster import Cluster, annotate
from bot.simulator.kubernetes.kinds import DEPLOYMENT, REPLICASET, ROLLOUT
from bot.simulator.kubernetes.replicasets import replicas
from bot.simulator.kubernetes.sizes import resolve
from bot.simulator.kubernetes.wire import (
    Json,
    annotations_of,
    labels_of,
    meta,
    name_of,
    namespace_of,
    spec_of,
    stamp,
    status_of,
)

REVISION: Final = "rollout.argoproj.io/revision"
EARLIER: Final = "rollout.argoproj.io/revision-history"
HASH: Final = "rollouts-pod-template-hash"
HISTORY: Final = 10
STEP: Final = "CanaryPauseStep"
_DURATION: Final = re.compile(r"(\d+)(s|m|h)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_NOT_COPIED: Final = (REVISION, EARLIER, "kubectl.kubernetes.io/last-applied-configuration")


def advance(cluster: Cluster, now: datetime) -> bool:
    """Move every Rollout one step. True while one of them is on its way."""
    moving = [_advance(cluster, rollout, now) for rollout in cluster.store.all(ROLLOUT)]
    return any(moving)


def steps(rollout: Json) -> list[Json]:
    found: list[Json] = (spec_of(rollout)["strategy"].get("canary") or {}).get("steps") or []
    return found


def _advance(cluster: Cluster, rollout: Json, now: datetime) -> bool:
    template = _template(cluster, rollout)
    if template is None:
        _put(cluster, rollout, rolloutstatus.invalid(rollout, "spec.template or a known workloadRef is required", now))
        return False
    rollout = _noted(cluster, rollout)
    digest, before = replicasets.template_hash(template), status_of(rollout)
    if before.get("currentPodHash") != digest:
        rollout = _put(cluster, rollout, _reset(rollout, digest))
    found = cluster.store.owned(REPLICASET, namespace_of(rollout), meta(rollout)["uid"])
    current = _newest(cluster, rollout, template, digest, found, now)
    others = [each for each in found if name_of(each) != name_of(current)]
    current, others = _scaled(cluster, rollout, current, others)
    current = replicasets.keep(cluster, current, now)
    others = [replicasets.keep(cluster, other, now) for other in others]
    status = _restarted(cluster, rollout, current, others, now)
    status = _moved(cluster, rollout | {"status": status}, current, others, now)
    rollout = annotate(rollout, **{REVISION: annotations_of(current)[REVISION]})
    rollout = cluster.store.put(ROLLOUT, rollout)
    status = rolloutstatus.build(cluster, rollout | {"status": status}, current, others, now)
    # Conditions turn by what was told before, not by what is about to be.
    stored = _put(cluster, rollout, status)
    if rolloutstatus.fully_promoted(status_of(stored)):
        _forget(cluster, rollout, others)
    return not rolloutstatus.settled(stored) or status_of(stored) != before


def _put(cluster: Cluster, rollout: Json, status: Json) -> Json:
    return cluster.store.put(ROLLOUT, rollout | {"status": status})


def _template(cluster: Cluster, rollout: Json) -> Json | None:
    """Its own, or the one of the Deployment that it refers to."""
    spec = spec_of(rollout)
    found: Json | None = spec.get("template")
    if reference := spec.get("workloadRef"):
        other = cluster.store.find(DEPLOYMENT, namespace_of(rollout), reference["name"])
        found = spec_of(other)["template"] if other else None
    return found


def _noted(cluster: Cluster, rollout: Json) -> Json:
    """The generation of the Deployment it refers to, kept on the Rollout itself."""
    reference = spec_of(rollout).get("workloadRef")
    other = reference and cluster.store.find(DEPLOYMENT, namespace_of(rollout), reference["name"])
    if not other:
        return rollout
    return cluster.store.put(ROLLOUT, annotate(rollout, **{rolloutstatus.GENERATION: str(meta(other)["generation"])}))


def _reset(rollout: Json, digest: str) -> Json:
    """Another template: from the first step, and past the last one when it is the stable template again."""
    gone = ("pauseConditions", "controllerPause", "abort", "abortedAt", "promoteFull")
    status = {key: value for key, value in status_of(rollout).items() if key not in gone}
    back = status.get("stableRS") == digest
    return status | {"currentPodHash": digest, "currentStepIndex": len(steps(rollout)) if back else 0}


def _newest(cluster: Cluster, rollout: Json, template: Json, digest: str, found: list[Json], now: datetime) -> Json:
    """The ReplicaSet of the template: found again, or made, with the highest revision."""
    highest = max((int(annotations_of(each)[REVISION]) for each in found), default=0)
    same = next((each for each in found if labels_of(each)[HASH] == digest), None)
    if same is None:
        return _create(cluster, rollout, template, digest, highest + 1, now)
    had = annotations_of(same)
    if int(had[REVISION]) == highest:
        return same
    earlier = ",".join(filter(None, (had.get(EARLIER, ""), had[REVISION])))
    return cluster.store.put(REPLICASET, annotate(same, **{REVISION: str(highest + 1), EARLIER: earlier}))


def _create(cluster: Cluster, rollout: Json, template: Json, digest: str, number: int, now: datetime) -> Json:
    own = copy.deepcopy(replicasets.plain(template))
    own["metadata"]["labels"][HASH] = digest
    selector = copy.deepcopy(
        spec_of(rollout).get("selector") or {"matchLabels": labels_of(replicasets.plain(template))}
    )
    selector.setdefault("matchLabels", {})[HASH] = digest
    copied = {key: value for key, value in annotations_of(rollout).items() if key not in _NOT_COPIED}
    reference = {
        "apiVersion": ROLLOUT.api_version, "kind": ROLLOUT.name, "name": name_of(rollout),
        "uid": meta(rollout)["uid"], "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    metadata = {
        "name": f"{name_of(rollout)}-{digest}",
        "namespace": namespace_of(rollout),
        "labels": labels_of(own),
        "annotations": copied | {REVISION: str(number)},
        "ownerReferences": [reference],
    }
    spec = {"replicas": 0, "selector": selector, "template": own}
    return cluster.store.create(REPLICASET, {"metadata": metadata, "spec": spec, "status": {"replicas": 0}}, now)


def _weight(rollout: Json) -> int:
    """The share of the new version, in per cent (utils/replicaset/canary.go GetCurrentSetWeight)."""
    status, listed = status_of(rollout), steps(rollout)
    if status.get("promoteFull") or status.get("stableRS") in (None, status.get("currentPodHash")):
        return 100
    if status.get("abort"):
        return 0
    at = status.get("currentStepIndex", 0)
    if at >= len(listed):
        return 100
    return next((int(each["setWeight"]) for each in reversed(listed[: at + 1]) if "setWeight" in each), 0)


def _goals(rollout: Json) -> tuple[int, int]:
    """Pods of the new and of the stable version; both rounded up."""
    share = replicas(rollout) * _weight(rollout) / 100
    return math.ceil(share), math.ceil(replicas(rollout) - share)


def _scaled(cluster: Cluster, rollout: Json, current: Json, others: list[Json]) -> tuple[Json, list[Json]]:
    """Grow what is to grow within the surge, then shrink the rest while enough stay available."""
    if spec_of(rollout).get("paused"):
        return current, others
    wanted, (new, stable) = replicas(rollout), _goals(rollout)
    canary = spec_of(rollout)["strategy"].get("canary") or {}
    surge = resolve(canary.get("maxSurge"), wanted, up=True) + (1 if new + stable > wanted else 0)
    least = wanted - (resolve(canary.get("maxUnavailable"), wanted, up=False) or (0 if surge else 1))
    goals = {name_of(current): new}
    for other in others:
        kept = labels_of(other)[HASH] == status_of(rollout).get("stableRS")
        goals[name_of(other)] = stable if kept else 0
    sets = {name_of(each): each for each in (current, *others)}
    back_first = sorted(sets, key=lambda name: name == name_of(current))
    for name in back_first:  # the stable version has the first claim
        room = wanted + surge - sum(map(replicas, sets.values()))
        more = min(max(goals[name] - replicas(sets[name]), 0), max(room, 0))
        sets[name] = _scale(cluster, rollout, sets[name], replicas(sets[name]) + more)
    spare = sum(_available(cluster, each) for each in sets.values()) - least
    for name, each in sorted(sets.items(), key=lambda pair: goals[pair[0]]):
        extra = max(replicas(each) - goals[name], 0)
        sick = replicas(each) - _available(cluster, each)
        drop = min(extra, max(spare, 0) + sick)
        spare -= max(drop - sick, 0)
        sets[name] = _scale(cluster, rollout, each, replicas(each) - drop)
    return sets[name_of(current)], [sets[name_of(other)] for other in others]


def _scale(cluster: Cluster, rollout: Json, replicaset: Json, count: int) -> Json:
    before = replicas(replicaset)
    if before == count:
        return replicaset
    number = annotations_of(replicaset)[REVISION]
    way = "up" if count > before else "down"
    message = f"Scaled {way} ReplicaSet {name_of(replicaset)} (revision {number}) from {before} to {count}"
    cluster.event(rollout, "ScalingReplicaSet", message, component="rollouts-controller")
    return cluster.store.put(REPLICASET, replicaset | {"spec": spec_of(replicaset) | {"replicas": count}})


def _available(cluster: Cluster, replicaset: Json) -> int:
    return min(sum(map(pods.ready, replicasets.pods_of(cluster, replicaset))), replicas(replicaset))


def _moved(cluster: Cluster, rollout: Json, current: Json, others: list[Json], now: datetime) -> Json:
    """The status after what is finished is left behind: a step, a pause, the whole way."""
    status, listed = status_of(rollout), steps(rollout)
    if status.get("promoteFull"):
        status = _without(status, "pauseConditions", "controllerPause", "abort", "abortedAt")
        status["currentStepIndex"] = len(listed)
    if status.get("abort"):
        status = _without(status, "pauseConditions", "controllerPause")
        return status | {"currentStepIndex": 0, "abortedAt": status.get("abortedAt") or stamp(now)}
    if spec_of(rollout).get("paused"):
        return status
    rollout = rollout | {"status": status}
    at = status.get("currentStepIndex", 0)
    if status.get("stableRS") is None or at >= len(listed) or status["stableRS"] == status["currentPodHash"]:
        return _promoted(cluster, rollout, current, others)
    if "pause" in listed[at]:
        return _paused(cluster, status, listed[at]["pause"] or {}, now)
    if _there(cluster, rollout, current, others):
        return status | {"currentStepIndex": at + 1}
    return status


def _promoted(cluster: Cluster, rollout: Json, current: Json, others: list[Json]) -> Json:
    """The new version is the stable one when all pods are of it and available."""
    status = status_of(rollout)
    if _available(cluster, current) != replicas(rollout) or any(replicas(other) for other in others):
        return status
    return _without(status, "promoteFull") | {
        "stableRS": status["currentPodHash"],
        "currentStepIndex": len(steps(rollout)),
    }


def _paused(cluster: Cluster, status: Json, pause: Json, now: datetime) -> Json:
    """Begins to wait; goes on when the condition was taken away, or the time is over."""
    conditions = status.get("pauseConditions") or []
    if not conditions and not status.get("controllerPause"):
        condition = {"reason": STEP, "startTime": stamp(now)}
        cluster.notes.since[status["currentPodHash"] + " pause"] = now
        return status | {"pauseConditions": [condition], "controllerPause": True}
    length = _seconds(pause.get("duration"))
    began = cluster.notes.began(status["currentPodHash"] + " pause", now)
    over = length is not None and cluster.passed(began, now, length)
    if conditions and not over:
        return status
    return _without(status, "pauseConditions", "controllerPause") | {
        "currentStepIndex": status.get("currentStepIndex", 0) + 1
    }


def _seconds(duration: object) -> float | None:
    """``30``, ``"30"``, ``"5m"``; None waits for a person."""
    found = _DURATION.fullmatch(str(duration)) if duration is not None else None
    return int(found[1]) * _SECONDS[found[2] or "s"] if found else None


def _there(cluster: Cluster, rollout: Json, current: Json, others: list[Json]) -> bool:
    """As many pods as the step's weight asks for, all available."""
    new, stable = _goals(rollout)
    right = {labels_of(other)[HASH]: _available(cluster, other) for other in others}
    kept = right.pop(status_of(rollout)["stableRS"], 0)
    return _available(cluster, current) == new == replicas(current) and kept == stable and not any(right.values())


def _restarted(cluster: Cluster, rollout: Json, current: Json, others: list[Json], now: datetime) -> Json:
    """One pod older than ``spec.restartAt`` goes at a time, while all are available (rollout/restart.go)."""
    status, at = status_of(rollout), spec_of(rollout).get("restartAt")
    if at is None or at == status.get("restartedAt") or datetime.fromisoformat(at) > now:
        return status
    sets = [current, *others]
    if any(_available(cluster, each) != replicas(each) for each in sets):
        return status
    old = [pod for each in sets for pod in replicasets.pods_of(cluster, each) if _older(pod, at)]
    if not old:
        return status | {"restartedAt": at}
    pods.stop(cluster, old[0], now)
    return status


def _older(pod: Json, at: str) -> bool:
    return datetime.fromisoformat(meta(pod)["creationTimestamp"]) < datetime.fromisoformat(at)


def _forget(cluster: Cluster, rollout: Json, others: list[Json]) -> None:
    limit = spec_of(rollout).get("revisionHistoryLimit", HISTORY)
    empty = sorted(
        (each for each in others if not replicas(each)), key=lambda each: int(annotations_of(each)[REVISION])
    )
    for old in empty[: max(len(empty) - limit, 0)]:
        cluster.store.remove(REPLICASET, namespace_of(old), name_of(old))


def _without(status: Json, *names: str) -> Json:
    return {key: value for key, value in status.items() if key not in names}
