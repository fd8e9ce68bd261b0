"""The Argo CD application controller: compares, and processes the operation a client asked for (contracts.md, 6)."""

from datetime import datetime
from typing import Any, Final

from bot.simulator.kubernetes import gitops
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.gitops import ManifestError, Repositories, Wanted
from bot.simulator.kubernetes.kinds import APPLICATION
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, spec_of, stamp, status_of

REFRESH: Final = "argocd.argoproj.io/refresh"
MANAGER: Final = "argocd-controller"
"""Its field manager (argo-cd common/common.go, ArgoCDSSAManager)."""
SKIP: Final = "argocd.argoproj.io/skip-reconcile"
POLL: Final = 180.0
"""Simulated seconds between two looks at Git without a refresh (timeout.reconciliation)."""
SYNC: Final = 1.0
"""Simulated seconds a sync takes: applied, not yet healthy."""


def advance(cluster: Cluster, git: Repositories | None, now: datetime) -> bool:
    """Reconcile every Application. True while one has an operation running."""
    if git is None:
        return False
    apps = [app for app in cluster.store.all(APPLICATION) if annotations_of(app).get(SKIP) != "true"]
    running = [_advance(cluster, git, app, now) for app in apps]
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
    elif automated(app) and not _running(app) and _wants_sync(app):
        seen = {key: value for key, value in status_of(app)["sync"].items() if key in ("revision", "revisions")}
        operation = {"sync": seen, "initiatedBy": {"automated": True}}
        app = _begin(cluster, app | {"operation": operation}, now)
    if _running(app):
        app = _finish(cluster, git, app, now)
    return _running(app)


def _wants_sync(app: Json) -> bool:
    """Out of sync, and not tried before at this revision: only selfHeal comes back to what was synced well."""
    status = status_of(app)
    sync, state = status.get("sync", {}), status.get("operationState", {})
    if sync.get("status") != "OutOfSync":
        return False
    tried = _seen(state.get("syncResult") or state.get("operation", {}).get("sync") or {}) == _seen(sync)
    heals = spec_of(app)["syncPolicy"]["automated"].get("selfHeal") is True
    return not tried or (heals and state.get("phase") == "Succeeded")


def _seen(entry: Json) -> list[str]:
    """The revisions of all sources."""
    return list(entry.get("revisions") or [entry.get("revision", "")])


def _running(app: Json) -> bool:
    return bool(status_of(app).get("operationState", {}).get("phase") == "Running")


def _goal(git: Repositories, app: Json, asked: Json | None = None) -> Wanted:
    at, source, namespace = _place(app), _source(app), spec_of(app)["destination"]["namespace"]
    revisions = _seen(asked or {})
    ref = revisions[at] if at < len(revisions) else ""
    return gitops.wanted(git, source["repoURL"], source["path"], ref or source["targetRevision"], namespace)


def _place(app: Json) -> int:
    """Which source holds the manifests: the one with a path; the others hold values that it refers to."""
    sources = spec_of(app).get("sources") or ()
    return next((at for at, source in enumerate(sources) if "path" in source), 0)


def _source(app: Json) -> Json:
    spec = spec_of(app)
    found: Json = spec["sources"][_place(app)] if spec.get("sources") else spec.get("source") or {}
    if not all(isinstance(found.get(key), str) for key in ("repoURL", "path", "targetRevision")):
        raise ManifestError("spec.source.repoURL, path and targetRevision are required")
    return found


def _sources(app: Json) -> Json:
    """As operations and history name them: the plural has taken the singular's place."""
    spec = spec_of(app)
    return {"sources": spec["sources"]} if spec.get("sources") else {"source": _source(app)}


def _revisions(git: Repositories, app: Json, goal: Wanted) -> Json:
    spec = spec_of(app)
    if not spec.get("sources"):
        return {"revision": goal.revision}
    at = _place(app)
    heads = [
        goal.revision
        if number == at
        else git.head(gitops.repository_of(each["repoURL"]), each["targetRevision"]) or each["targetRevision"]
        for number, each in enumerate(spec["sources"])
    ]
    return {"revisions": heads}


def _compare(cluster: Cluster, git: Repositories, app: Json, now: datetime) -> Json:
    destination = spec_of(app)["destination"]
    status = status_of(app) | {"reconciledAt": stamp(now), "sourceType": "Kustomize", "controllerNamespace": "argocd"}
    spec = spec_of(app)
    compared = {key: spec[key] for key in ("source", "sources") if key in spec}
    sync: Json = {"comparedTo": compared | {"destination": destination}}
    try:
        goal = _goal(git, app)
    except ManifestError as error:
        status["sync"] = sync | {"status": "Unknown"}
        status["conditions"] = [{"type": "ComparisonError", "message": str(error), "lastTransitionTime": stamp(now)}]
    else:
        status.pop("conditions", None)
        word = "Synced" if gitops.in_sync(cluster, goal) else "OutOfSync"
        status["sync"] = sync | {"status": word} | _revisions(git, app, goal)
        found = gitops.live(cluster, goal)
        resource = gitops.kind_of(found) | {"namespace": goal.namespace, "name": goal.name, "status": word}
        status |= {"resources": [resource], "resourceHealthSource": "appTree"}
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
        goal = _goal(git, app, sync)
        if not sync.get("dryRun"):
            gitops.apply(cluster, goal, MANAGER)
    except ManifestError as error:
        state = state | {"phase": "Failed", "message": str(error), "finishedAt": stamp(now)}
        return cluster.store.put(APPLICATION, app | {"status": status_of(app) | {"operationState": state}})
    brought = _revisions(git, app, goal) | _sources(app)
    status = status_of(app) | {"operationState": _succeeded(state, goal, gitops.live(cluster, goal), brought, now)}
    if not (sync.get("dryRun") or sync.get("resources")):
        status["history"] = _history(app, state, brought, began, now)
    # What it is compared with, and its health, are of before: the next look at it is a reconciliation of its own.
    cluster.notes.since.pop(meta(app)["uid"] + " compared", None)
    return cluster.store.put(APPLICATION, app | {"status": status})


def _succeeded(state: Json, goal: Wanted, found: Json | None, brought: Json, now: datetime) -> Json:
    resource = gitops.kind_of(found) | {
        "namespace": goal.namespace,
        "name": goal.name,
        "status": "Synced",
        "message": f"{gitops.kind_of(found)['kind'].lower()}/{goal.name} configured",
        "hookPhase": "Running",
        "syncPhase": "Sync",
    }
    result = {"resources": [resource]} | brought
    words: dict[str, Any] = {"phase": "Succeeded", "message": "successfully synced (all tasks run)"}
    return state | words | {"syncResult": result, "finishedAt": stamp(now)}


def _history(app: Json, state: Json, brought: Json, began: datetime, now: datetime) -> list[Json]:
    """The last ten deployments, the new one with the highest id."""
    history: list[Json] = list(status_of(app).get("history") or ())
    entry = {
        "id": max((old["id"] for old in history), default=-1) + 1,
        "deployStartedAt": stamp(began),
        "deployedAt": stamp(now),
        "initiatedBy": state["operation"].get("initiatedBy") or {},
    } | brought
    if source := state["operation"].get("sync", {}).get("source"):
        entry["source"] = source
    return [*history, entry][-10:]
