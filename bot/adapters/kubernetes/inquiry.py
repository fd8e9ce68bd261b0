"""What is known of one cohort beyond the list of pods: events of its example, its memory, the nodes against it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from bot.adapters.kubernetes import evidence, judge_deaths, judge_nodes, resources
from bot.adapters.kubernetes.census import Gathered
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.found import paged
from bot.adapters.kubernetes.judge_deaths import Death
from bot.adapters.kubernetes.resources import POD_METRICS
from bot.domain.errors import PultError
from bot.domain.quantities import known
from bot.ports.diagnoses import Health

Object: TypeAlias = dict[str, Any]
EVENTS: Final = 100
"""Events of one pod: the kubelet counts what repeats."""
LOOKED_INTO: Final = 6
"""Nodes of which is read what runs there: the others are of the same size, as a rule."""


@dataclass
class Heard:
    """``events`` of the example, newest first. ``using``: memory of the container that was killed, in bytes.

    ``taken``: by node, the pods that run there, where it was asked.
    """

    of: Gathered
    death: Death | None = None
    events: list[Object] = field(default_factory=list)
    using: float | None = None
    nodes: list[Object] = field(default_factory=list)
    taken: dict[str, list[Object]] = field(default_factory=dict)
    unread: list[PultError] = field(default_factory=list)


class Inquiry:
    """In one namespace of one cluster, whose *nodes* are known, or empty."""

    def __init__(self, api: Api, namespace: str, nodes: list[Object]) -> None:
        self._api, self._namespace, self._nodes = api, namespace, nodes

    async def of(self, cohort: Gathered) -> Heard:
        """Nothing here raises: what could not be read is told."""
        heard = Heard(cohort)
        if cohort.health is Health.PENDING:
            heard.nodes = self._nodes
            await self._residents(heard)
            return heard
        heard.death = judge_deaths.last(cohort.example)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events(heard))
            if heard.death is not None and heard.death.memory and heard.death.limit is not None:
                group.create_task(self._memory(heard, heard.death.container))
        return heard

    async def _events(self, heard: Heard) -> None:
        name = heard.of.example["metadata"]["name"]
        wanted = f"involvedObject.kind=Pod,involvedObject.name={name}"
        try:
            found = await self._api.call(
                "CoreV1Api", "list_namespaced_event", self._namespace, field_selector=wanted, limit=EVENTS
            )
        except PultError as error:
            heard.unread.append(error)
            return
        heard.events = sorted(found.get("items") or (), key=evidence.moment, reverse=True)

    async def _memory(self, heard: Heard, container: str) -> None:
        """A server without metrics-server, or one whose pod is not measured yet, leaves it unknown."""
        name = heard.of.example["metadata"]["name"]
        try:
            found = await resources.read(self._api, POD_METRICS, self._namespace, name)
        except PultError:
            return
        for each in found.get("containers") or ():
            if each.get("name") == container:
                heard.using = known((each.get("usage") or {}).get("memory"))

    async def _residents(self, heard: Heard) -> None:
        """What runs on the nodes that could take it; that is read only where pult may read every namespace."""
        could = judge_nodes.able(heard.of.example, self._nodes)[:LOOKED_INTO]
        try:
            async with asyncio.TaskGroup() as group:
                asked = {name: group.create_task(self._on(name)) for name in could}
        except ExceptionGroup:
            return
        heard.taken = {name: task.result() for name, task in asked.items()}

    async def _on(self, node: str) -> list[Object]:
        wanted = f"spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed"
        return await paged(self._api, "CoreV1Api", "list_pod_for_all_namespaces", field_selector=wanted)
