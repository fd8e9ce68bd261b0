"""The Flux controllers: Kustomizations from Git, HelmReleases by acknowledgement (contracts.md, section 7)."""

from datetime import datetime
from hashlib import sha256
from typing import Final

from bot.simulator.kubernetes import gitops
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.gitops import ManifestError, Repositories, Wanted
from bot.simulator.kubernetes.kinds import GITREPOSITORY, HELMRELEASE, HELMREPOSITORY, KUSTOMIZATION, Kind
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, name_of, namespace_of, spec_of, stamp, status_of

REQUESTED: Final = "reconcile.fluxcd.io/requestedAt"
MANAGER: Final = "kustomize-controller"
"""Its field manager (fluxcd/kustomize-controller main.go)."""
POLL: Final = 60.0
"""Simulated seconds between two looks at Git (spec.interval of the GitRepository)."""
CHART: Final = "2.4.0"


def advance(cluster: Cluster, git: Repositories | None, now: datetime) -> bool:
    """Reconcile what is due or requested. True while a Kustomization waits for health."""
    if git is None:
        return False
    for source in cluster.store.all(GITREPOSITORY):
        _source(cluster, git, source, now)
    for repository in cluster.store.all(HELMREPOSITORY):
        _repository(cluster, repository, now)
    waiting = [_kustomization(cluster, git, each, now) for each in cluster.store.all(KUSTOMIZATION)]
    for release in cluster.store.all(HELMRELEASE):
        _helmrelease(cluster, release, now)
    return any(waiting)


def _due(cluster: Cluster, obj: Json, now: datetime) -> bool:
    """Requested by annotation, changed in spec, or the interval is over. Never while suspended."""
    if spec_of(obj).get("suspend"):
        return False
    status, key = status_of(obj), meta(obj)["uid"] + " polled"
    requested = annotations_of(obj).get(REQUESTED)
    fresh = requested is not None and requested != status.get("lastHandledReconcileAt")
    changed = status.get("observedGeneration") != meta(obj)["generation"]
    late = key not in cluster.notes.since or cluster.passed(cluster.notes.since[key], now, POLL)
    if fresh or changed or late:
        cluster.notes.since[key] = now
    return fresh or changed or late


def _handled(obj: Json) -> Json:
    requested = annotations_of(obj).get(REQUESTED)
    base: Json = {"observedGeneration": meta(obj)["generation"]}
    return base | ({"lastHandledReconcileAt": requested} if requested else {})


def _ready(obj: Json, holds: str, reason: str, message: str, now: datetime) -> list[Json]:
    old: list[Json] = status_of(obj).get("conditions") or []
    same = next((c for c in old if c["type"] == "Ready" and c["status"] == holds), None)
    condition = {
        "type": "Ready",
        "status": holds,
        "observedGeneration": meta(obj)["generation"],
        "lastTransitionTime": same["lastTransitionTime"] if same else stamp(now),
        "reason": reason,
        "message": message,
    }
    if holds != "Unknown":
        return [condition]
    return [condition | {"type": "Reconciling", "status": "True"}, condition]


def _write(cluster: Cluster, kind: Kind, obj: Json, status: Json) -> None:
    cluster.store.put(kind, obj | {"status": status_of(obj) | status})


def _source(cluster: Cluster, git: Repositories, obj: Json, now: datetime) -> None:
    if not _due(cluster, obj, now):
        return
    spec = spec_of(obj)
    branch = spec["ref"]["branch"]
    head = git.head(gitops.repository_of(spec["url"]), branch)
    if head is None:
        conditions = _ready(obj, "False", "GitOperationFailed", f"couldn't find remote ref {branch!r}", now)
        _write(cluster, GITREPOSITORY, obj, _handled(obj) | {"conditions": conditions})
        return
    revision = f"{branch}@sha1:{head}"
    conditions = _ready(obj, "True", "Succeeded", f"stored artifact for revision '{revision}'", now)
    artifact = {"revision": revision, "lastUpdateTime": stamp(now)}
    _write(cluster, GITREPOSITORY, obj, _handled(obj) | {"conditions": conditions, "artifact": artifact})


def _repository(cluster: Cluster, obj: Json, now: datetime) -> None:
    """Its index never changes here."""
    if not _due(cluster, obj, now):
        return
    revision = "sha256:" + sha256(spec_of(obj)["url"].encode()).hexdigest()
    conditions = _ready(obj, "True", "Succeeded", f"stored artifact: revision '{revision}'", now)
    artifact = {"revision": revision, "lastUpdateTime": stamp(now)}
    _write(cluster, HELMREPOSITORY, obj, _handled(obj) | {"conditions": conditions, "artifact": artifact})


def _kustomization(cluster: Cluster, git: Repositories, obj: Json, now: datetime) -> bool:
    spec = spec_of(obj)
    source = cluster.store.find(GITREPOSITORY, namespace_of(obj), spec["sourceRef"]["name"])
    if source is None or spec.get("suspend"):
        return False
    revision = status_of(source).get("artifact", {}).get("revision", "")
    if not revision:
        return False
    commit = revision.rpartition(":")[2]  # what the source fetched, and never what git holds by now
    try:
        goal = gitops.wanted(git, spec_of(source)["url"], spec["path"], commit, spec["targetNamespace"])
        if _due(cluster, obj, now) or status_of(obj).get("lastAttemptedRevision") != revision:
            _reconcile(cluster, obj, goal, revision)
    except ManifestError as error:
        conditions = _ready(obj, "False", "BuildFailed", str(error), now)
        _write(cluster, KUSTOMIZATION, obj, _handled(obj) | {"conditions": conditions})
        return False
    return _settle(cluster, cluster.store.get(KUSTOMIZATION, namespace_of(obj), name_of(obj)), goal, now)


def _reconcile(cluster: Cluster, obj: Json, goal: Wanted, revision: str) -> None:
    """Apply what Git has. Drift is corrected only when asked: a change made by hand lives until then."""
    requested = annotations_of(obj).get(REQUESTED)
    asked = requested is not None and requested != status_of(obj).get("lastHandledReconcileAt")
    if asked or status_of(obj).get("lastAttemptedRevision") not in (None, revision):
        gitops.apply(cluster, goal, MANAGER)
    _write(cluster, KUSTOMIZATION, obj, _handled(obj) | {"lastAttemptedRevision": revision})


def _settle(cluster: Cluster, obj: Json, goal: Wanted, now: datetime) -> bool:
    """Ready follows the health of what was applied, as with ``wait: true``."""
    attempted = status_of(obj).get("lastAttemptedRevision", "")
    match gitops.health(gitops.live(cluster, goal)):
        case "Healthy":
            conditions = _ready(obj, "True", "ReconciliationSucceeded", f"Applied revision: {attempted}", now)
            more = {"lastAppliedRevision": attempted, "inventory": {"entries": [_inventory(goal)]}}
        case "Progressing":
            conditions, more = _ready(obj, "Unknown", "Progressing", "Reconciliation in progress", now), {}
        case word:
            message = f"health check failed: Deployment/{goal.namespace}/{goal.name} status: '{word}'"
            conditions, more = _ready(obj, "False", "HealthCheckFailed", message, now), {}
    _write(cluster, KUSTOMIZATION, obj, {"conditions": conditions} | more)
    return bool(conditions[0]["type"] == "Reconciling")


def _inventory(goal: Wanted) -> Json:
    return {"id": f"{goal.namespace}_{goal.name}_apps_Deployment", "v": "v1"}


def _helmrelease(cluster: Cluster, obj: Json, now: datetime) -> None:
    if not _due(cluster, obj, now):
        return
    name, space = name_of(obj), spec_of(obj)["targetNamespace"]
    history: list[Json] = list(status_of(obj).get("history") or [_release(name, space, now)])
    message = f"Helm upgrade succeeded for release {space}/{name}.v{history[0]['version']} with chart {name}@{CHART}"
    status = _handled(obj) | {
        "conditions": _ready(obj, "True", "UpgradeSucceeded", message, now),
        "history": history,
        "lastAttemptedRevision": CHART,
        "lastAttemptedGeneration": meta(obj)["generation"],
        "storageNamespace": space,
    }
    _write(cluster, HELMRELEASE, obj, status)


def _release(name: str, space: str, now: datetime) -> Json:
    return {
        "name": name,
        "namespace": space,
        "version": 1,
        "status": "deployed",
        "chartName": name,
        "chartVersion": CHART,
        "appVersion": CHART,
        "firstDeployed": stamp(now),
        "lastDeployed": stamp(now),
        "deleted": None,
    }
