"""The Deployment controller: rolls pods one version to the next within maxSurge and maxUnavailable."""

from datetime import datetime
from typing import Final

from bot.simulator.kubernetes import deploymentstatus, pods, replicasets
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import DEPLOYMENT, REPLICASET
from bot.simulator.kubernetes.replicasets import REVISION, replicas, revision
from bot.simulator.kubernetes.sizes import limits
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, name_of, namespace_of, spec_of, status_of

HISTORY: Final = 10
"""Default of spec.revisionHistoryLimit."""


def advance(cluster: Cluster, now: datetime) -> bool:
    """Move every Deployment one step. True while one of them is not done."""
    moving = [_advance(cluster, deployment, now) for deployment in cluster.store.all(DEPLOYMENT)]
    return any(moving)


def _advance(cluster: Cluster, deployment: Json, now: datetime) -> bool:
    found = replicasets.of(cluster, deployment)
    if spec_of(deployment).get("paused"):
        current = max(found, key=revision, default=None)
    else:
        current = replicasets.newest(cluster, deployment, found, now)
    if current is None:
        return False
    olds = [rs for rs in found if name_of(rs) != name_of(current)]
    current, olds = _roll(cluster, deployment, current, olds)
    current = replicasets.keep(cluster, current, now)
    olds = [replicasets.keep(cluster, old, now) for old in olds]
    deployment = _number(cluster, deployment, current)
    before = status_of(deployment)
    stored = _write(cluster, deployment, current, olds, now)
    if deploymentstatus.complete(stored):
        _forget_old(cluster, deployment, olds)
        return False
    return not deploymentstatus.stuck(status_of(stored)) or status_of(stored) != before


def _number(cluster: Cluster, deployment: Json, current: Json) -> Json:
    """The Deployment carries the revision of its newest ReplicaSet."""
    number = annotations_of(current)[REVISION]
    annotations = annotations_of(deployment) | {REVISION: number}
    return cluster.store.put(DEPLOYMENT, deployment | {"metadata": meta(deployment) | {"annotations": annotations}})


def _write(cluster: Cluster, deployment: Json, current: Json, olds: list[Json], now: datetime) -> Json:
    status = deploymentstatus.build(cluster, deployment, current, olds, now)
    return cluster.store.put(DEPLOYMENT, deployment | {"status": status})


def _roll(cluster: Cluster, deployment: Json, current: Json, olds: list[Json]) -> tuple[Json, list[Json]]:
    """Choose the sizes of all ReplicaSets (kubernetes/kubernetes pkg/controller/deployment/rolling.go)."""
    wanted = replicas(deployment)
    if spec_of(deployment).get("paused"):
        return replicasets.scale(cluster, current, max(wanted - sum(map(replicas, olds)), 0)), olds
    if (spec_of(deployment).get("strategy") or {}).get("type") == "Recreate":
        olds = [replicasets.scale(cluster, old, 0) for old in olds]
        gone = all(not replicasets.pods_of(cluster, old) for old in olds)
        return (replicasets.scale(cluster, current, wanted) if gone else current), olds
    surge, missing = limits(deployment)
    current = _grow(cluster, current, olds, wanted, wanted + surge)
    return current, _shrink(cluster, current, olds, wanted - missing)


def _grow(cluster: Cluster, current: Json, olds: list[Json], wanted: int, most: int) -> Json:
    if replicas(current) > wanted:
        return replicasets.scale(cluster, current, wanted)
    room = most - replicas(current) - sum(map(replicas, olds))
    return replicasets.scale(cluster, current, replicas(current) + max(min(room, wanted - replicas(current)), 0))


def _shrink(cluster: Cluster, current: Json, olds: list[Json], least: int) -> list[Json]:
    """Old pods go: those that are not ready first, then as many as stay above *least* available."""
    total = replicas(current) + sum(map(replicas, olds))
    unready = replicas(current) - _available(cluster, current)
    budget = total - least - unready
    result = []
    for old in olds:
        sick = replicas(old) - _available(cluster, old)
        drop = max(min(sick, budget), 0)
        budget -= drop
        result.append(replicasets.scale(cluster, old, replicas(old) - drop))
    spare = _available(cluster, current) + sum(_available(cluster, old) for old in result) - least
    for index, old in enumerate(result):
        drop = max(min(replicas(old), spare), 0)
        spare -= drop
        result[index] = replicasets.scale(cluster, old, replicas(old) - drop)
    return result


def _available(cluster: Cluster, replicaset: Json) -> int:
    return min(sum(map(pods.ready, replicasets.pods_of(cluster, replicaset))), replicas(replicaset))


def _forget_old(cluster: Cluster, deployment: Json, olds: list[Json]) -> None:
    limit = spec_of(deployment).get("revisionHistoryLimit", HISTORY)
    empty = sorted((old for old in olds if not replicas(old)), key=revision)
    for old in empty[: max(len(empty) - limit, 0)]:
        cluster.store.remove(REPLICASET, namespace_of(old), name_of(old))
