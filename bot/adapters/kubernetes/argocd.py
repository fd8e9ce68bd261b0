"""What an Argo CD Application says of itself: what it brought and when, and how far a sync is. Pure.

Facts: argo-cd pkg/apis/application/v1alpha1/types.go, gitops-engine pkg/sync/common/types.go and pkg/health/health.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from bot.adapters.kubernetes.notes import BEFORE, OPERATION, annotation, time
from bot.domain.changes import Synced, SyncState
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.revisions import commit, short
from bot.ports.gitops import Applied

Object: TypeAlias = dict[str, Any]
REFRESH = "argocd.argoproj.io/refresh"
"""Annotation that the controller takes away when it has looked at git."""
SKIP = "argocd.argoproj.io/skip-reconcile"
"""Annotation that makes it leave the Application alone."""
RUNNING = frozenset({"Running", "Terminating"})
FAILED = frozenset({"Failed", "Error"})
ERRORS = frozenset({"ComparisonError", "InvalidSpecError", "UnknownError"})
"""Conditions under which there is nothing to compare, so nothing to sync."""
LISTED = 5


def changes(app: Object, since: datetime) -> Iterator[Synced]:
    """Deployments of an Application, and a sync that runs or failed: only a good one gets into the history."""
    status = app.get("status") or {}
    history = status.get("history") or []
    for number, entry in enumerate(history):
        at = time(entry.get("deployedAt"))
        if at and at >= since:
            earlier = [_all(old) for old in history[:number]]
            back = _all(entry) in earlier[:-1] and _all(entry) != earlier[-1]
            yield Synced(at, "argocd", _all(entry), by=_who(entry), back=back)
    state = _state(app)
    running = state.get("phase") in RUNNING
    at = time(state.get("startedAt") if running else state.get("finishedAt"))
    if at and at >= since and state.get("phase") != "Succeeded":
        revision = _all(state.get("syncResult") or {}) or _all((state.get("operation") or {}).get("sync"))
        turn = SyncState.RUNNING if running else SyncState.FAILED
        yield Synced(at, "argocd", revision, turn, _who(state.get("operation") or {}))


def applied(app: Object, repo: str) -> Applied:
    """Where it stands, whoever asked. *repo* (org/name) picks the source that counts, where it has several."""
    wanted, state = known(app, repo), _state(app)
    status = app.get("status") or {}
    in_step, health = _sync(app).get("status") == "Synced", (status.get("health") or {}).get("status")
    idle = not under_way(app) and not annotation(app, REFRESH)
    last = _revision((status.get("history") or [{}])[-1], app, repo)
    return Applied(
        revision=wanted if in_step else last,
        wanted=wanted,
        done=in_step and idle and health == "Healthy",
        automated=automated(app),
        synced=in_step and idle,
        suspended=suspended(app),
        doing=_doing(app, in_step=in_step, health=str(health or "Unknown")),
        stuck=_stuck(app, state, in_step=in_step) if idle else None,
        drift=_differing(app) if idle and not in_step and wanted and wanted == last else None,
    )


def progress(app: Object, repo: str, revision: str, operation: str) -> Applied:
    """How far *operation*'s request is: ``done`` never by what was so before it was asked."""
    base, state = applied(app, repo), _state(app)
    if annotation(app, OPERATION) != operation:
        return _on_the_way(base, phrase("Argo CD was not asked yet"))
    if under_way(app) or annotation(app, REFRESH):
        return _on_the_way(base, base.doing)
    if asked_by(state.get("operation"), operation):
        return _own(app, base, repo, revision)
    return _looked(app, base, revision)


def under_way(app: Object) -> bool:
    """Whether an operation runs, or waits to be begun."""
    return "operation" in app or _state(app).get("phase") in RUNNING


def asked_by(operation: Object | None, ident: str) -> bool:
    """Whether an Argo CD *operation* carries the id of ours."""
    return {"name": OPERATION, "value": ident} in ((operation or {}).get("info") or ())


def automated(app: Object) -> bool:
    """Auto-sync is on when ``automated`` is there and ``enabled`` is not false (types.go SyncPolicyAutomated)."""
    found = (app["spec"].get("syncPolicy") or {}).get("automated")
    return found is not None and found.get("enabled") is not False


def suspended(app: Object) -> bool:
    """It is left alone on purpose. Auto-sync that is off is not that."""
    return annotation(app, SKIP) == "true"


def tried(app: Object, repo: str) -> bool:
    """Whether the revision it sees was synced before, well or not: auto-sync does not come back to it by itself.

    With selfHeal it does, where something else changed the cluster.
    """
    state = _state(app)
    attempted = _revision(state.get("syncResult") or {}, app, repo)
    heals = ((app["spec"].get("syncPolicy") or {}).get("automated") or {}).get("selfHeal") is True
    again = heals and state.get("phase") not in FAILED
    return bool(attempted) and attempted == known(app, repo) and not again


def known(app: Object, repo: str) -> str:
    """The commit that it last found in git."""
    return _revision(_sync(app), app, repo)


def sources(app: Object) -> list[Object]:
    """One, or several."""
    spec = app["spec"]
    return spec.get("sources") or [spec.get("source") or {}]


def place(app: Object, repo: str) -> int:
    """Which source is *repo*'s; the first where none is told by its address."""
    for at, source in enumerate(sources(app)):
        url = str(source.get("repoURL") or "").lower().removesuffix("/").removesuffix(".git").replace(":", "/")
        if repo and url.endswith(f"/{repo.lower()}"):
            return at
    return 0


def who(app: Object) -> str:
    """Who asked for the operation that is under way."""
    operation = app.get("operation") or _state(app).get("operation") or {}
    return _who(operation) or "Argo CD"


def _own(app: Object, base: Applied, repo: str, revision: str) -> Applied:
    """Our operation has ended. Its success says applied: whether it is healthy, a comparison after it tells."""
    state = _state(app)
    if state.get("phase") in FAILED:
        return replace(base, done=False, synced=False, stuck=_failure(state))
    brought = _revision(state.get("syncResult") or {}, app, repo)
    if revision and not base.automated and brought != revision:
        why = phrase(
            "it applied {brought}, not {revision}", brought=Code(short(brought)), revision=Code(short(revision))
        )
        return replace(base, done=False, synced=False, stuck=why)
    good = base.done and known(app, repo) == brought
    if not _compared_since(app, state, good=good):
        return _on_the_way(base, phrase("Argo CD compares the cluster with git"))
    if base.synced or base.stuck:
        return base
    return replace(base, stuck=_left(app, base, brought))


def _looked(app: Object, base: Applied, revision: str) -> Applied:
    """It has looked at git since we asked, and no operation of ours is the last one: auto-sync, or somebody later."""
    unseen = revision and base.wanted not in {"", revision} and base.wanted == annotation(app, BEFORE)
    if unseen:
        return _on_the_way(base, phrase("Argo CD does not see {revision} yet", revision=Code(short(revision))))
    if base.synced and revision and not base.automated and base.revision != revision:
        why = phrase(
            "{revision} is not what is applied now: {other} is", revision=Code(short(revision)),
            other=Code(short(base.revision)),
        )  # fmt: skip
        return replace(base, done=False, synced=False, stuck=why)
    if base.synced or base.stuck:
        return base
    return _on_the_way(base, phrase("{revision} is to be applied", revision=Code(short(base.wanted))))


def _on_the_way(base: Applied, doing: Phrase | None) -> Applied:
    return replace(base, done=False, synced=False, doing=doing, stuck=None)


def _compared_since(app: Object, state: Object, *, good: bool) -> bool:
    """Times are whole seconds. In the same one a comparison counts only if it was *good*, with what was brought: then
    the cluster had it already. One that found a difference may be of before it was applied."""
    ended, compared = time(state.get("finishedAt")), time((app.get("status") or {}).get("reconciledAt"))
    if ended is None or compared is None or compared < ended:
        return False
    return compared > ended or good


def _left(app: Object, base: Applied, brought: str) -> Phrase:
    """Why a sync that succeeded left the Application out of sync."""
    pruned = [each for each in _out_of_sync(app) if each.get("requiresPruning")]
    if base.wanted != brought:
        return phrase("git has moved on to {revision} meanwhile", revision=Code(short(base.wanted)))
    if pruned:
        return phrase("git no longer has {what}, and nobody removed it: prune it", what=_named(pruned))
    return phrase("{what} differs from git right after the sync", what=_named(_out_of_sync(app)))


def _doing(app: Object, *, in_step: bool, health: str) -> Phrase | None:
    state = _state(app)
    if "operation" in app:
        return phrase("Argo CD is to begin the sync")
    if state.get("phase") in RUNNING:
        return phrase("Argo CD syncs: {what}", what=str(state.get("message") or state["phase"]))
    if annotation(app, REFRESH):
        return phrase("Argo CD looks at git")
    if in_step and health != "Healthy":
        return phrase("applied; Argo CD calls it {health}", health=health)
    return None


def _stuck(app: Object, state: Object, *, in_step: bool) -> Phrase | None:
    status = app.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") in ERRORS:
            return verbatim(str(condition.get("message") or condition["type"]))
    if state.get("phase") in FAILED and not in_step:
        return _failure(state)
    health = status.get("health") or {}
    if health.get("status") == "Degraded":
        return phrase("Argo CD calls it Degraded: {why}", why=_ailing(status) or str(health.get("message") or "?"))
    return None


def _failure(state: Object) -> Phrase:
    return phrase("the sync failed: {why}", why=str(state.get("message") or state.get("phase")))


def _ailing(status: Object) -> str:
    """What is Degraded, where resources carry their health: since 3.0 they don't by default."""
    found = [each for each in status.get("resources") or () if (each.get("health") or {}).get("status") == "Degraded"]
    told = (f"{each.get('kind')} {each.get('name')}: {each['health'].get('message') or 'Degraded'}" for each in found)
    return "; ".join(told)


def _differing(app: Object) -> Phrase | None:
    found = _out_of_sync(app)
    return verbatim(_named(found)) if found else None


def _out_of_sync(app: Object) -> list[Object]:
    resources = (app.get("status") or {}).get("resources") or ()
    return [each for each in resources if each.get("status") == "OutOfSync"]


def _named(resources: list[Object]) -> str:
    names = [f"{each.get('kind')} {each.get('name')}" for each in resources]
    return ", ".join(names[:LISTED]) + (f" (+{len(names) - LISTED})" if len(names) > LISTED else "")


def _state(app: Object) -> Object:
    return (app.get("status") or {}).get("operationState") or {}


def _sync(app: Object) -> Object:
    return (app.get("status") or {}).get("sync") or {}


def _revision(entry: Object, app: Object, repo: str) -> str:
    """Of *repo*'s source."""
    listed = entry.get("revisions") or []
    at = place(app, repo)
    return commit(str(listed[at] if at < len(listed) else entry.get("revision") or ""))


def _all(entry: Object | None) -> str:
    """The revision, or those of a multi-source Application."""
    found = entry or {}
    return ", ".join(short(each) for each in found.get("revisions") or [found.get("revision") or ""])


def _who(entry: Object) -> str:
    asked = entry.get("initiatedBy") or {}
    return "" if asked.get("automated") else str(asked.get("username") or "")
