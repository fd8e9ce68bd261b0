"""The Happenings port: the events of a workload and of everything it made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from bot.adapters.kubernetes import evidence, judge
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.found import pages
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.workloads import BY_REPLICASETS, Workloads
from bot.domain.errors import ungrouped
from bot.domain.loglines import tidy
from bot.domain.redact import redact
from bot.domain.services import Environment
from bot.ports.happenings import Happening

PAGE, LISTED = 500, 4000
"""Events of one part of a list, and of a namespace that are looked through: in trouble there are thousands, and no
selector finds by prefix."""
REVISIONS = 100
ITS_OWN = frozenset(
    ("Deployment", "StatefulSet", "DaemonSet", "Rollout", "HorizontalPodAutoscaler", "PodDisruptionBudget")
)
"""Kinds whose objects bear the workload's own name."""


class KubernetesHappenings:
    """Of every configured cluster."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._workloads = Workloads(apis)

    async def happenings(self, environment: Environment, since: datetime) -> tuple[Happening, ...]:
        """Of pods that are gone as well: they are known by the names of the revisions that made them."""
        api, obj = self._workloads.api(environment.cluster), await self._workloads.of(environment)
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                makers = group.create_task(_makers(api, environment, obj))
                events = group.create_task(_events(api, environment.namespace))
        told = read(events.result(), environment.workload, makers.result())
        return tuple(sorted((each for each in told if each.at >= since), key=lambda each: each.at))


def read(events: Iterable[Object], workload: str, makers: frozenset[str]) -> Iterator[Happening]:
    """The *events* about *workload*, about its *makers* of pods, and about pods that those made."""
    makes = "|".join(map(re.escape, sorted(makers)))
    pod = re.compile(rf"(?:{makes})-[a-z0-9]+")
    for event in events:
        about = event.get("involvedObject") or {}
        kind, name = str(about.get("kind", "")), str(about.get("name", ""))
        own = name == workload and kind in ITS_OWN
        if own or name in makers or (kind == "Pod" and pod.fullmatch(name)):
            yield _happening(event, kind, name)


def _happening(event: Object, kind: str, name: str) -> Happening:
    at = evidence.moment(event)
    first = event.get("firstTimestamp") or event.get("eventTime")
    count = (event.get("series") or {}).get("count") or event.get("count") or 1
    return Happening(
        at=at,
        first=datetime.fromisoformat(first) if first else at,
        kind=kind,
        name=name,
        reason=str(event.get("reason") or ""),
        text=redact(tidy(str(event.get("message") or ""))),
        count=int(count),
        warning=event.get("type") == "Warning",
    )


async def _makers(api: Api, environment: Environment, obj: Object) -> frozenset[str]:
    """Names that the workload's pods begin with."""
    if environment.kind not in BY_REPLICASETS:
        return frozenset((environment.workload,))
    selector, uid = judge.selector(obj), obj["metadata"].get("uid", "")
    found = await api.call(
        "AppsV1Api", "list_namespaced_replica_set", environment.namespace, limit=REVISIONS, label_selector=selector
    )
    owned = (
        each["metadata"]["name"]
        for each in found.get("items") or ()
        if any(owner.get("uid") == uid for owner in each["metadata"].get("ownerReferences") or ())
    )
    return frozenset(owned) or frozenset((environment.workload,))


async def _events(api: Api, namespace: str) -> list[Object]:
    found: list[Object] = []
    async for page in pages(api, "CoreV1Api", "list_namespaced_event", namespace, limit=PAGE):
        found += page
        if len(found) >= LISTED:
            break
    return found
