"""The Argo CD application controller: compares, and processes the operation a client asked for (contracts.md, 6)."""

from datetime import datetime
from typing import Any, Final

from bot.simulator.kubernetes import gitops
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.gitops import ManifestError, Repositories, Wanted
from bot.simulator.kubernetes.kinds import APPLICATION
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, spec_of, stamp, status_of

REFRESH: Final = "argocd.argoproj.io/refresh"
POLL: Final = 180.0
"""Simulated seconds between two looks at Git without a refresh (timeout.reconciliation)."""
SYNC: Final = 1.0
"""Simulated seconds a sync takes: applied, not yet healthy."""
_RESOURCE: Final = {"group": "apps", "version": "v1", "kind": "Deployment"}


def advance(cluster: Cluster, git: Repositories | None, now: datetime) -> bool:
    """Reconcile every Application. True while one has an operation running."""
    if git is None:
        return False
    running = [_advance(cluster, git, app, now) for app in cluster.store.all(APPLICATION)]
    return any(running)


def automated(app: Json) -> bool:
    """Auto-sync is on when ``syncPolicy.automated`` exists and ``enabled`` is not false."""
    found = (spec_of(app).get("syncPolicy") or {}).get("automated")
    return found is not None and found.get("enabled") is not False


def _advance(cluster: Cluster, git: Repositories, app: Json, now: datetime) -> bool:
    key = meta(app)["uid"] + " compared"
    asked = REFRESH in annotations_of(app)
    due = key not in cluster.notes.since or cluster.passed(cluster.notes.since[key], now, POLL)
    if asked or due:
        cluster.notes.since[key] = now
        app = _compare(cluster, git, app, now)
    app = _health(cluster, app, now)
    if "operation" in app and not _running(app):
        app = _begin(cluster, app, now)
    elif automated(app) and status_of(app).get("sync", {}).get("status") == "OutOfSync" and not _running(app):
        revision = status_of(app)["sync"]["revision"]
        operation = {"sync": {"revision": revision}, "initiatedBy": {"automated": True}}
        app = _begin(cluster, app | {"operation": operation}, now)
    if _running(app):
        app = _finish(cluster, git, app, now)
    return _running(app)


def _running(app: Json) -> bool:
    return bool(status_of(app).get("operationState", {}).get("phase") == "Running")


def _goal(git: Repositories, app: Json, ref: str = "") -> Wanted:
    source, namespace = _source(app), spec_of(app)["destination"]["namespace"]
    return gitops.wanted(git, source["repoURL"], source["path"], ref or source["targetRevision"], namespace)


def _source(app: Json) -> Json:
    """The one source; of a multi-source Application the first, which holds the manifests here."""
    spec = spec_of(app)
    found: Json = spec.get("source") or next(iter(spec.get("sources") or ()), {})
    if not all(isinstance(found.get(key), str) for key in ("repoURL", "path", "targetRevision")):
        raise ManifestError("spec.source.repoURL, path and targetRevision are required")
    return found


def _compare(cluster: Cluster, git: Repositories, app: Json, now: datetime) -> Json:
    destination = spec_of(app)["destination"]
    status = status_of(app) | {"reconciledAt": stamp(now), "sourceType": "Kustomize", "controllerNamespace": "argocd"}
    sync: Json = {"comparedTo": {"source": spec_of(app).get("source") or {}, "destination": destination}}
    try:
        goal = _goal(git, app)
    except ManifestError as error:
        status["sync"] = sync | {"status": "Unknown"}
        status["conditions"] = [{"type": "ComparisonError", "message": str(error), "lastTransitionTime": stamp(now)}]
    else:
        status.pop("conditions", None)
        word = "Synced" if gitops.in_sync(cluster, goal) else "OutOfSync"
        status["sync"] = sync | {"status": word, "revision": goal.revision}
        resource = _RESOURCE | {"namespace": goal.namespace, "name": goal.name, "status": word}
        status |= {"resources": [resource], "resourceHealthSource": "appTree"}
        found = gitops.live(cluster, goal)
        status["summary"] = {"images": [gitops.image_of(found)] if found else []}
    annotations = {key: value for key, value in annotations_of(app).items() if key != REFRESH}
    metadata = meta(app) | {"annotations": annotations}
    return cluster.store.put(APPLICATION, app | {"metadata": metadata, "status": status})


def _health(cluster: Cluster, app: Json, now: datetime) -> Json:
    resources = status_of(app).get("resources") or ()
    goals = [Wanted("", entry["namespace"], entry["name"], "") for entry in resources]
    word = gitops.health(gitops.live(cluster, goals[0])) if goals else "Unknown"
    if status_of(app).get("health", {}).get("status") == word:
        return app
    health = {"status": word, "lastTransitionTime": stamp(now)}
    return cluster.store.put(APPLICATION, app | {"status": status_of(app) | {"health": health}})


def _begin(cluster: Cluster, app: Json, now: datetime) -> Json:
    """Take the operation off the object and show it as running."""
    state = {
        "operation": app["operation"],
        "phase": "Running",
        "message": "waiting for the sync to be applied",
        "startedAt": stamp(now),
    }
    cluster.notes.since[meta(app)["uid"] + " operation"] = now
    rest = {key: value for key, value in app.items() if key != "operation"}
    return cluster.store.put(APPLICATION, rest | {"status": status_of(app) | {"operationState": state}})


def _finish(cluster: Cluster, git: Repositories, app: Json, now: datetime) -> Json:
    began = cluster.notes.began(meta(app)["uid"] + " operation", now)
    if not cluster.passed(began, now, SYNC):
        return app
    state = status_of(app)["operationState"]
    sync = state["operation"].get("sync") or {}
    try:
        goal = _goal(git, app, sync.get("revision", ""))
        if not sync.get("dryRun"):
            gitops.apply(cluster, goal)
    except ManifestError as error:
        state = state | {"phase": "Failed", "message": str(error), "finishedAt": stamp(now)}
        return cluster.store.put(APPLICATION, app | {"status": status_of(app) | {"operationState": state}})
    status = status_of(app) | {"operationState": _succeeded(app, state, goal, now)}
    if not (sync.get("dryRun") or sync.get("resources")):
        status["history"] = _history(app, state, goal, began, now)
    stored = cluster.store.put(APPLICATION, app | {"status": status})
    # Health at once, too: a client that reads Succeeded must not find the health of the version before.
    return _health(cluster, _compare(cluster, git, stored, now), now)


def _succeeded(app: Json, state: Json, goal: Wanted, now: datetime) -> Json:
    resource = _RESOURCE | {
        "namespace": goal.namespace,
        "name": goal.name,
        "status": "Synced",
        "message": f"deployment.apps/{goal.name} configured",
        "hookPhase": "Running",
        "syncPhase": "Sync",
    }
    result = {"resources": [resource], "revision": goal.revision, "source": _source(app)}
    words: dict[str, Any] = {"phase": "Succeeded", "message": "successfully synced (all tasks run)"}
    return state | words | {"syncResult": result, "finishedAt": stamp(now)}


def _history(app: Json, state: Json, goal: Wanted, began: datetime, now: datetime) -> list[Json]:
    """The last ten deployments, the new one with the highest id."""
    history: list[Json] = list(status_of(app).get("history") or ())
    entry = {
        "id": max((old["id"] for old in history), default=-1) + 1,
        "revision": goal.revision,
        "deployStartedAt": stamp(began),
        "deployedAt": stamp(now),
        "source": state["operation"].get("sync", {}).get("source") or _source(app),
        "initiatedBy": state["operation"].get("initiatedBy") or {},
    }
    return [*history, entry][-10:]
