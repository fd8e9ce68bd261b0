"""The Rollouts port: undo by a workload's own history, and the hand on an Argo Rollout.

What is patched, and where, is as kubectl and kubectl-argo-rollouts (cmd/promote, abort, pause, resume) do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from bot.adapters.kubernetes import argorollouts, history, judge
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict, versioned
from bot.adapters.kubernetes.notes import annotation
from bot.adapters.kubernetes.workloads import BY_REPLICASETS, Workloads
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code
from bot.ports.cluster import Workload
from bot.ports.rollouts import Revision

Object: TypeAlias = dict[str, Any]
LISTED = 500
"""Old revisions of all that a selector finds: ten each by default."""
ADVANCED = "pult.dev/advanced"
"""Annotation on a Rollout: which operation moved it on last, and from which pause."""


class KubernetesRollouts:
    """``workload.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._workloads = Workloads(apis)

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        """What its controller still keeps, the newest first."""
        obj = await self._workloads.read(workload)
        return history.listed(await self._kept(workload, obj), obj)

    async def undo(self, workload: Workload, revision: str, template: str) -> None:
        """Put back the template of *revision*; what has it already is left alone."""

        async def change() -> None:
            holder, obj = await self._workloads.holder(workload)
            past = await self._past(workload, revision)
            if history.plain(history.template(past)) == history.plain(obj["spec"]["template"]):
                return
            _undoable(workload, obj, template)
            patch, content_type = history.undo(workload.kind, obj, past)
            await self._workloads.patch(holder, patch, content_type)

        await retry_on_conflict(workload.name, change)

    async def advance(self, workload: Workload, operation: str, *, full: bool = False) -> None:
        """Let a paused rollout go on; *full*: to the end."""
        if full:
            await self._finish(workload, await self._progressive(workload))
            return

        async def change() -> None:
            obj = await self._progressive(workload)
            mark, last = f"{operation} {_stop(obj)}", annotation(obj, ADVANCED)
            if last.rpartition(" ")[0] == operation and last != mark:
                return  # it went on from there before
            _waiting(workload, obj)
            if last != mark:
                obj = await self._workloads.patch(workload, {"metadata": {"annotations": {ADVANCED: mark}}})
            await self._resume(workload, obj)  # a conflict may be the next pause: look again

        await retry_on_conflict(workload.name, change)

    async def abort(self, workload: Workload) -> None:
        """Back to the stable version at once."""
        obj = await self._progressive(workload)
        if obj["status"].get("abort") is True:
            return
        if not argorollouts.under_way_in(obj):
            raise UserError("{name} has no new version under way.", name=Code(workload.name))
        await self._workloads.patch_status(workload, {"abort": True})

    async def pause(self, workload: Workload) -> None:
        """Hold a rollout where it is."""
        await self._hold(workload, paused=True)

    async def unpause(self, workload: Workload) -> None:
        """Take back what ``pause`` did."""
        await self._hold(workload, paused=False)

    async def _hold(self, workload: Workload, *, paused: bool) -> None:
        if workload.kind not in BY_REPLICASETS:
            raise UserError("A {kind} can't be paused.", kind=workload.kind)
        obj = await self._workloads.read(workload)
        if (obj["spec"].get("paused") is True) is not paused:
            await self._workloads.patch(workload, {"spec": {"paused": paused}})

    async def _finish(self, workload: Workload, obj: Object) -> None:
        if argorollouts.under_way_in(obj) and not obj["status"].get("promoteFull"):
            await self._workloads.patch_status(workload, {"promoteFull": True})

    async def _resume(self, workload: Workload, obj: Object) -> None:
        """A step's pause is in the status, a person's own in the spec; both may be there.

        Under the version that was read: a patch that comes too late would take away the next pause.
        """
        if (obj.get("status") or {}).get("pauseConditions"):
            version = obj["metadata"]["resourceVersion"]
            obj = await self._workloads.patch_status(workload, {"pauseConditions": None}, version)
        if obj["spec"].get("paused") is True:
            await self._workloads.patch(workload, versioned(obj, {"paused": False}))

    async def _progressive(self, workload: Workload) -> Object:
        if workload.kind != judge.ROLLOUT:
            raise UserError("A {kind} does not go step by step.", kind=workload.kind)
        obj = await self._workloads.read(workload)
        return obj | {"status": obj.get("status") or {}}

    async def _past(self, workload: Workload, revision: str) -> Object:
        obj = await self._workloads.read(workload)
        for each in await self._kept(workload, obj):
            if str(history.number(each)) == revision:
                return each
        raise UserError("{name} keeps no revision {revision}.", name=Code(workload.name), revision=revision)

    async def _kept(self, workload: Workload, obj: Object) -> list[Object]:
        return await kept(self._workloads.api(workload.cluster), workload.kind, workload.namespace, obj)


async def kept(api: Api, kind: str, namespace: str, obj: Object) -> list[Object]:
    """The earlier and the present templates of *obj*, a workload of that *kind*, as its controller keeps them."""
    made = "replica_set" if kind in BY_REPLICASETS else "controller_revision"
    method, selector = f"list_namespaced_{made}", judge.selector(obj)
    answer = await api.call("AppsV1Api", method, namespace, label_selector=selector, limit=LISTED)
    return history.owned(answer.get("items") or [], obj)


def _undoable(workload: Workload, obj: Object, template: str) -> None:
    if obj["spec"].get("paused") is True:
        raise UserError("{name} is paused in Kubernetes; resume it there first.", name=Code(workload.name))
    if judge.template_hash(obj) != template:
        raise DriftError("{name} was changed meanwhile.", name=Code(workload.name))


def _waiting(workload: Workload, obj: Object) -> None:
    """UserError: there is nothing to let go on."""
    name = Code(workload.name)
    if not argorollouts.under_way_in(obj):
        raise UserError("{name} has no new version under way.", name=name)
    if not obj["status"].get("pauseConditions") and obj["spec"].get("paused") is not True:
        raise UserError("{name} does not wait for anybody: it goes on by itself.", name=name)


def _stop(obj: Object) -> str:
    """Where it stands: the step, and when its pause began, so that the next pause is another place."""
    status = obj["status"]
    begun = next((each.get("startTime") for each in status.get("pauseConditions") or ()), "")
    return f"{status.get('currentPodHash', '')}/{status.get('currentStepIndex', '-')}/{begun}"
