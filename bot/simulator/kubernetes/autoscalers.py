"""HorizontalPodAutoscalers: they own the replica count and undo a manual scale (contracts.md, section 8)."""

from datetime import datetime
from typing import Final

from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import AUTOSCALER, DEPLOYMENT
from bot.simulator.kubernetes.replicasets import replicas
from bot.simulator.kubernetes.wire import Json, meta, namespace_of, spec_of, stamp, status_of

SYNC: Final = 15.0
"""Simulated seconds between two looks of the autoscaler (its default sync period)."""


_Reason = tuple[bool, str, str]
"""Whether a condition holds, its reason, its message."""


def advance(cluster: Cluster, now: datetime) -> None:
    for scaler in cluster.store.all(AUTOSCALER):
        key = meta(scaler)["uid"] + " sync"
        if cluster.passed(cluster.notes.began(key, now), now, SYNC):
            cluster.notes.since[key] = now
            _sync(cluster, scaler, now)


def _sync(cluster: Cluster, scaler: Json, now: datetime) -> None:
    spec = spec_of(scaler)
    target = cluster.store.find(DEPLOYMENT, namespace_of(scaler), spec["scaleTargetRef"]["name"])
    if target is None:
        return
    current = replicas(target)
    usual = status_of(scaler).get("desiredReplicas") or current
    desired = min(max(usual, spec.get("minReplicas", 1)), spec["maxReplicas"])
    active = current > 0
    if active and desired != current:
        cluster.store.put(DEPLOYMENT, target | {"spec": spec_of(target) | {"replicas": desired}})
        why = "cpu resource utilization (percentage of request) above target"
        why = why if desired > current else "All metrics below target"
        message = f"New size: {desired}; reason: {why}"
        cluster.event(scaler, "SuccessfulRescale", message, component="horizontal-pod-autoscaler")
    cluster.store.put(AUTOSCALER, scaler | {"status": _status(scaler, current, desired, now)})


def _status(scaler: Json, current: int, desired: int, now: datetime) -> Json:
    active = current > 0
    reasons: dict[str, _Reason] = {
        "AbleToScale": (True, "ReadyForNewScale", "recommended size matches current size"),
        "ScalingActive": (
            active,
            "ValidMetricFound" if active else "ScalingDisabled",
            "the HPA was able to successfully calculate a replica count from cpu resource utilization "
            "(percentage of request)"
            if active
            else "scaling is disabled since the replica count of the target is zero",
        ),
        "ScalingLimited": (False, "DesiredWithinRange", "the desired count is within the acceptable range"),
    }
    return {
        "observedGeneration": meta(scaler).get("generation", 1),
        "currentReplicas": current,
        "desiredReplicas": desired,
        "currentMetrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "current": {"averageUtilization": 41, "averageValue": "41m"}},
            }
        ],
        "conditions": [_condition(scaler, name, why, now) for name, why in reasons.items()],
    }


def _condition(scaler: Json, name: str, why: _Reason, now: datetime) -> Json:
    holds, reason, message = why
    old: list[Json] = status_of(scaler).get("conditions") or []
    same = next((c for c in old if c["type"] == name and c["status"] == str(holds)), None)
    since = same["lastTransitionTime"] if same else stamp(now)
    return {"type": name, "status": str(holds), "lastTransitionTime": since, "reason": reason, "message": message}
