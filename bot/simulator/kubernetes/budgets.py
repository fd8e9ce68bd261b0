"""PodDisruptionBudgets: their status, and whether a pod may be evicted now."""

from datetime import datetime

from bot.simulator.kubernetes import errors, pods
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import BUDGET, DEPLOYMENT, POD
from bot.simulator.kubernetes.replicasets import replicas
from bot.simulator.kubernetes.selectors import matches
from bot.simulator.kubernetes.sizes import resolve
from bot.simulator.kubernetes.wire import Json, meta, name_of, namespace_of, spec_of, stamp, status_of


def advance(cluster: Cluster, now: datetime) -> None:
    """Write the status of every budget from the pods it selects."""
    for budget in cluster.store.all(BUDGET):
        cluster.store.put(BUDGET, budget | {"status": _status(cluster, budget, now)})


def evict(cluster: Cluster, pod: Json, now: datetime, *, dry: bool) -> None:
    """Stop *pod* if its budget allows; 429 with cause DisruptionBudget, or 500 when it has several budgets.

    A pod that is not ready may always go (kubernetes.io: unhealthyPodEvictionPolicy, AlwaysAllow is ours).
    """
    budgets = [b for b in cluster.store.all(BUDGET, namespace_of(pod)) if matches(spec_of(b)["selector"], pod)]
    if len(budgets) > 1:
        raise errors.several_budgets()
    if budgets and pods.ready(pod):
        # The stored status may be a tick old; two evictions in a row must not both pass.
        status = _status(cluster, budgets[0], now)
        if status["disruptionsAllowed"] <= 0:
            raise errors.disrupted(name_of(budgets[0]), status["desiredHealthy"], status["currentHealthy"])
    if not dry:
        pods.stop(cluster, pod, now)


def _status(cluster: Cluster, budget: Json, now: datetime) -> Json:
    mine = [p for p in cluster.store.all(POD, namespace_of(budget)) if matches(spec_of(budget)["selector"], p)]
    expected = _expected(cluster, budget, mine)
    healthy = sum(map(pods.ready, mine))
    desired = _desired(spec_of(budget), expected)
    allowed = max(healthy - desired, 0)
    status = "True" if allowed else "False"
    old: list[Json] = status_of(budget).get("conditions") or []
    since = old[0]["lastTransitionTime"] if old and old[0]["status"] == status else stamp(now)
    condition = {
        "type": "DisruptionAllowed",
        "status": status,
        "observedGeneration": meta(budget)["generation"],
        "lastTransitionTime": since,
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
    }
    return {
        "observedGeneration": meta(budget)["generation"],
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": [condition],
    }


def _expected(cluster: Cluster, budget: Json, mine: list[Json]) -> int:
    """What the controllers behind the pods want; an evicted pod stays expected until it is replaced."""
    workloads = [
        deployment
        for deployment in cluster.store.all(DEPLOYMENT, namespace_of(budget))
        if matches(spec_of(budget)["selector"], spec_of(deployment)["template"])
    ]
    return sum(map(replicas, workloads)) if workloads else sum(map(pods.living, mine))


def _desired(spec: Json, expected: int) -> int:
    if "minAvailable" in spec:
        return resolve(spec["minAvailable"], expected, up=True)
    return max(expected - resolve(spec.get("maxUnavailable", 1), expected, up=True), 0)
