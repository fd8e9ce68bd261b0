"""What the API server itself knows of a workload's last hour: its revisions, events, pods, nodes and GitOps object."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from bot.adapters.kubernetes import argocd, evidence, flux, judge, resources, revisions
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.resources import APPLICATION, HELMRELEASE, KUSTOMIZATION, Resource
from bot.adapters.kubernetes.revisions import Revision
from bot.adapters.kubernetes.verdicts import GoneError
from bot.adapters.kubernetes.workloads import BY_REPLICASETS
from bot.domain.changes import ClusterChange, Synced
from bot.domain.errors import PultError, RateLimitedError, UserError, ungrouped
from bot.domain.services import Environment

log = logging.getLogger(__name__)

EVENTS, PODS, REVISIONS = 500, 100, 100
"""Objects of one list. Ten revisions are kept by default, and more pods than that only name the same nodes again."""
NODE_EVENTS = "default"
"""Namespace of events about what has none: client-go tools/record."""

Listing: TypeAlias = Coroutine[Any, Any, list[Object]]
Reader: TypeAlias = Callable[[Object, datetime], Iterable[Synced]]


class Past:
    """Of one cluster. What pult may not read is left out, and said in the log once."""

    def __init__(self, api: Api, cluster: str) -> None:
        self._api, self._cluster = api, cluster
        self._said: set[str] = set()

    async def changes(self, environment: Environment, workload: Object, since: datetime) -> tuple[ClusterChange, ...]:
        """Everything since then, in no order. *workload* is the object itself. TemporaryError: a list did not come."""
        found, synced = await self._read(environment, workload, since)
        resized = evidence.steps(found["resized"])
        mine = _revisions(environment, found["revisions"], workload, resized)
        recreated = (workload["spec"].get("strategy") or {}).get("type") == "Recreate"
        by_hand = revisions.by_hand(resized, mine, recreated=recreated)
        hosts = frozenset(pod["spec"].get("nodeName") or "" for pod in found["pods"])
        lost = [*found["Evicted"], *found["Preempted"]]
        told: list[ClusterChange] = [
            *revisions.rollouts(mine, since, revisions.restarted_by(workload), revisions.imaged_by(workload)),
            *evidence.scaled(by_hand, evidence.rescales(found["rescaled"]), environment.workload),
            *evidence.nodes(found["turned"], hosts),
            *evidence.lost(lost, found["pods"], since, _owner(environment, mine)),
            *synced,
        ]
        return tuple(change for change in told if change.at >= since)

    async def _read(
        self, environment: Environment, workload: Object, since: datetime
    ) -> tuple[dict[str, list[Object]], tuple[Synced, ...]]:
        """All at once; the first that fails ends the others."""
        listings = self._listings(environment, judge.selector(workload))
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                tasks = {name: group.create_task(self._part(name, one)) for name, one in listings.items()}
                synced = group.create_task(self._synced(environment, since))
        return {name: task.result() for name, task in tasks.items()}, synced.result()

    def _listings(self, environment: Environment, selector: str) -> dict[str, Listing]:
        """Field selectors keep the lists short: in trouble a namespace has thousands of events."""
        space, name = environment.namespace, environment.workload
        made = "replica_set" if environment.kind in BY_REPLICASETS else "controller_revision"
        return {
            "revisions": self._list("AppsV1Api", f"list_namespaced_{made}", space, REVISIONS, label_selector=selector),
            "pods": self._list("CoreV1Api", "list_namespaced_pod", space, PODS, label_selector=selector),
            "resized": self._events(space, f"reason=ScalingReplicaSet,involvedObject.name={name}"),
            "rescaled": self._events(space, "reason=SuccessfulRescale"),
            "Evicted": self._events(space, "reason=Evicted,involvedObject.kind=Pod"),
            "Preempted": self._events(space, "reason=Preempted,involvedObject.kind=Pod"),
            "turned": self._events(NODE_EVENTS, "involvedObject.kind=Node"),
        }

    def _events(self, namespace: str, fields: str) -> Listing:
        return self._list("CoreV1Api", "list_namespaced_event", namespace, EVENTS, field_selector=fields)

    async def _list(self, group: str, method: str, namespace: str, limit: int, **selector: str) -> list[Object]:
        answer = await self._api.call(group, method, namespace, limit=limit, **selector)
        return answer.get("items") or []

    async def _part(self, what: str, asked: Listing) -> list[Object]:
        try:
            return await asked
        except UserError as error:
            self._leave_out(what, error)
            return []

    async def _synced(self, environment: Environment, since: datetime) -> tuple[Synced, ...]:
        place = environment.gitops.place
        match environment.gitops.tool:
            case "argocd":
                return await self._object(APPLICATION, place, since, argocd.changes) or ()
            case "flux":
                kept = await self._object(KUSTOMIZATION, place, since, flux.kustomization_changes)
                if kept is None:
                    kept = await self._object(HELMRELEASE, place, since, flux.helmrelease_changes)
                return kept or ()
            case _:
                return ()

    async def _object(
        self, kind: Resource, place: tuple[str, str], since: datetime, read: Reader
    ) -> tuple[Synced, ...] | None:
        """What one custom resource says; None when it is not there. Its own trouble is not the API server's."""
        try:
            obj = await resources.read(self._api, kind, *place)
        except GoneError:
            return None
        except RateLimitedError:
            raise
        except PultError as error:
            self._leave_out(kind.plural, error)
            return ()
        return tuple(read(obj, since))

    def _leave_out(self, what: str, error: PultError) -> None:
        if what not in self._said:
            self._said.add(what)
            log.warning("cards go without a part", extra={"cluster": self._cluster, "part": what, "error": str(error)})


def _revisions(
    environment: Environment, found: list[Object], workload: Object, resized: list[evidence.Step]
) -> list[Revision]:
    uid = workload["metadata"].get("uid", "")
    if environment.kind in BY_REPLICASETS:
        return revisions.of_replicasets(found, uid, resized)
    return revisions.of_controller(found, uid)


def _owner(environment: Environment, mine: list[Revision]) -> Callable[[str], bool]:
    """Whether a pod of this name is the workload's: it may be gone, so its labels can't be asked."""
    prefixes = {each.name for each in mine} if environment.kind in BY_REPLICASETS else {environment.workload}
    name = re.compile(rf"({'|'.join(map(re.escape, sorted(prefixes)))})-[a-z0-9]+")
    return lambda pod: bool(prefixes) and name.fullmatch(pod) is not None
