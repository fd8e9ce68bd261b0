"""What the objects of Argo CD and Flux say they brought, and when. Plain JSON in, facts out; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.adapters.kubernetes.judge import Object
from bot.domain.changes import Synced, SyncState

APPLICATION = ("argoproj.io", "v1alpha1", "applications")
KUSTOMIZATION = ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations")
HELMRELEASE = ("helm.toolkit.fluxcd.io", "v2", "helmreleases")
"""Group, version and plural name of each custom resource."""
SHORT = 7
"""Digits of a commit, as git shows it."""


def argocd(app: Object, since: datetime) -> Iterator[Synced]:
    """Deployments of an Application, and a sync that runs or failed: only a good one gets into the history."""
    status = app.get("status") or {}
    history = status.get("history") or []
    for number, entry in enumerate(history):
        at = _time(entry.get("deployedAt"))
        if at and at >= since:
            earlier = [_revisions(old) for old in history[:number]]
            back = _revisions(entry) in earlier[:-1] and _revisions(entry) != earlier[-1]
            yield Synced(at, "argocd", _revisions(entry), by=_who(entry), back=back)
    state = status.get("operationState") or {}
    running = state.get("phase") in {"Running", "Terminating"}
    at = _time(state.get("startedAt") if running else state.get("finishedAt"))
    if at and at >= since and state.get("phase") != "Succeeded":
        revision = _revisions(state.get("syncResult") or {}) or _revisions((state.get("operation") or {}).get("sync"))
        turn = SyncState.RUNNING if running else SyncState.FAILED
        yield Synced(at, "argocd", revision, turn, _who(state.get("operation") or {}))


def kustomization(obj: Object, since: datetime) -> Iterator[Synced]:
    """Revisions that a Kustomization applied; ``Ready`` counts only for the generation it observed."""
    status, ready = obj.get("status") or {}, _ready(obj)
    applied, attempted = status.get("lastAppliedRevision") or "", status.get("lastAttemptedRevision") or ""
    at = _time(ready.get("lastTransitionTime"))
    if not at or at < since:
        return
    match ready.get("status"):
        case "True" if (first := _first(status, applied) or at) >= since:
            yield Synced(first, "flux", _short(applied))
        case "False" if attempted != applied:
            yield Synced(at, "flux", _short(attempted), SyncState.FAILED)
        case "Unknown" if attempted != applied:
            yield Synced(at, "flux", _short(attempted), SyncState.RUNNING)


def helmrelease(obj: Object, since: datetime) -> Iterator[Synced]:
    """Releases of a chart; the history has the newest first."""
    for entry in (obj.get("status") or {}).get("history") or ():
        at = _time(entry.get("lastDeployed"))
        if at and at >= since:
            chart = f"{entry.get('chartName', '')} {entry.get('chartVersion', '')}".strip()
            turn = SyncState.FAILED if entry.get("status") == "failed" else SyncState.DONE
            yield Synced(at, "flux", chart, turn, back=entry.get("action") == "rollback")


def _ready(obj: Object) -> Object:
    status = obj.get("status") or {}
    if status.get("observedGeneration") != obj["metadata"].get("generation"):
        return {}
    found = (each for each in status.get("conditions") or () if each.get("type") == "Ready")
    return next(found, {})


def _first(status: Object, revision: str) -> datetime | None:
    """When *revision* was first brought, where the status keeps a history: ``Ready`` may have turned since."""
    times = [
        _time(entry.get("firstReconciled"))
        for entry in status.get("history") or ()
        if (entry.get("metadata") or {}).get("revision") == revision
    ]
    return min((time for time in times if time), default=None)


def _revisions(entry: Object | None) -> str:
    """The revision, or those of a multi-source Application."""
    found = entry or {}
    revisions = found.get("revisions") or [found.get("revision") or ""]
    return ", ".join(_short(each) for each in revisions)


def _short(revision: str) -> str:
    """``main@sha1:731f7ead…`` and a bare commit as git shows it; a chart's version as it is."""
    commit = revision.rpartition("@")[2].rpartition(":")[2]
    digits = len(commit) in {40, 64} and all(letter in "0123456789abcdef" for letter in commit)
    return commit[:SHORT] if digits else revision


def _who(entry: Object) -> str:
    asked = entry.get("initiatedBy") or {}
    return "" if asked.get("automated") else str(asked.get("username") or "")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
