"""Asking Argo CD through the API server of the cluster it runs in: its Application is read and patched, no more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeAlias

from bot.adapters.kubernetes import argocd, resources
from bot.adapters.kubernetes.argocd import REFRESH
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict
from bot.adapters.kubernetes.notes import BEFORE, OPERATION, annotation
from bot.adapters.kubernetes.resources import APPLICATION
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code
from bot.domain.services import Environment
from bot.ports.gitops import Applied

Object: TypeAlias = dict[str, Any]
ME = "pult"


class ArgoCd:
    """Of one cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def state(self, environment: Environment) -> Applied:
        """Where the Application stands."""
        return argocd.applied(await self._read(environment), environment.gitops.repo)

    async def progress(self, environment: Environment, revision: str, operation: str) -> Applied:
        """How far the operation's own request is; syncs where a look at git alone turned out not to be enough."""
        app = await self._read(environment)
        found = argocd.progress(app, environment.gitops.repo, revision, operation)
        if annotation(app, OPERATION) == operation and not (found.synced or found.stuck):
            with suppress(DriftError):  # too busy to be patched now: at the next look
                await self.ask(environment, revision, operation)
        return found

    async def ask(self, environment: Environment, revision: str, operation: str) -> None:
        """A refresh, and a sync where that is needed, in one patch under the resourceVersion that was read."""
        namespace, name = environment.gitops.place

        async def change() -> None:
            app = await self._read(environment)
            body = request(app, environment.gitops.repo, revision, operation)
            if body is None:
                return
            await resources.patch(self._api, APPLICATION, namespace, name, body)

        await retry_on_conflict(name, change)

    async def _read(self, environment: Environment) -> Object:
        return await resources.read(self._api, APPLICATION, *environment.gitops.place)


def request(app: Object, repo: str, revision: str, operation: str) -> Object | None:
    """The patch that asks for what is missing; None where all is asked for. UserError: it can't be asked now."""
    _refuse(app)
    again = annotation(app, OPERATION) == operation
    sync = _resumed(app, repo, operation) if again else _begun(app, repo, revision)
    if sync is None:
        return None
    meta = app["metadata"]
    notes = {REFRESH: "normal", OPERATION: operation} | ({} if again else {BEFORE: argocd.known(app, repo)})
    patch: Object = {"metadata": {"resourceVersion": meta["resourceVersion"], "annotations": notes}}
    if sync:
        # The state of the sync before goes, as in argo-cd util/argo SetAppOperation: nobody may take it for ours.
        patch |= {"operation": _operation(app, repo, revision, operation), "status": {"operationState": None}}
    return patch


def _refuse(app: Object) -> None:
    name = Code(app["metadata"]["name"])
    if app["metadata"].get("deletionTimestamp"):
        raise UserError("The Argo CD Application {name} is being deleted.", name=name)
    if argocd.suspended(app):
        raise UserError("Argo CD leaves {name} alone: its annotation {note} is set.", name=name, note=Code(argocd.SKIP))


def _begun(app: Object, repo: str, revision: str) -> bool:
    """Whether the first request is for a sync, too; else for a look at git alone.

    Auto-sync begins by itself, unless it tried this revision already. What is in sync is synced only if a revision is
    asked for: hooks would run again for nothing.
    """
    in_step = ((app.get("status") or {}).get("sync") or {}).get("status") == "Synced"
    if argocd.automated(app):
        return not argocd.under_way(app) and not in_step and argocd.tried(app, repo)
    if argocd.under_way(app):
        raise UserError(
            "Argo CD is busy with another sync of {name}, which {who} asked for. Try again when it is done.",
            name=Code(app["metadata"]["name"]), who=argocd.who(app),
        )  # fmt: skip
    return bool(revision) or not in_step


def _resumed(app: Object, repo: str, operation: str) -> bool | None:
    """The same for a request that was made before; None: it stands, or is done."""
    status = app.get("status") or {}
    state = status.get("operationState") or {}
    if argocd.under_way(app) or annotation(app, REFRESH):
        return None
    ours = argocd.asked_by(state.get("operation"), operation)
    if ours and state.get("phase") not in argocd.FAILED:
        return None
    in_step = (status.get("sync") or {}).get("status") == "Synced"
    waits = argocd.automated(app) and not argocd.tried(app, repo)
    return None if in_step or waits else True


def _operation(app: Object, repo: str, revision: str, operation: str) -> Object:
    """As Argo CD's own API makes it of a sync: with the Application's options and retries (server Sync).

    Under auto-sync no revision is named, as there: it would be synced away at once.
    """
    policy = app["spec"].get("syncPolicy") or {}
    prune = (policy.get("automated") or {}).get("prune") is True
    sync: Object = {"prune": prune, "syncStrategy": {"hook": {}}, "syncOptions": policy.get("syncOptions") or []}
    if revision and not argocd.automated(app):
        sync |= _revision(app, repo, revision)
    made: Object = {
        "sync": sync, "initiatedBy": {"username": ME}, "info": [{"name": OPERATION, "value": operation}],
    }  # fmt: skip
    return made | ({"retry": policy["retry"]} if policy.get("retry") else {})


def _revision(app: Object, repo: str, revision: str) -> Object:
    if not app["spec"].get("sources"):
        return {"revision": revision}
    at = argocd.place(app, repo)
    sources = enumerate(argocd.sources(app))
    return {"revisions": [revision if n == at else source.get("targetRevision") or "HEAD" for n, source in sources]}
