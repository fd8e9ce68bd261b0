"""The Diagnoses port: a workload's pods in cohorts, and what its cluster knows of why they are not well.

One round finds what is there, a second one asks what is known of the worst: two dozen short questions at most, however
many pods there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from bot.adapters.kubernetes import history, judge, judge_around, judge_nodes
from bot.adapters.kubernetes.anatomy import selects
from bot.adapters.kubernetes.census import HASHES, Census, Gathered
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.cohorts import cohort
from bot.adapters.kubernetes.found import census_of, paged, pages
from bot.adapters.kubernetes.inquiry import Inquiry
from bot.adapters.kubernetes.rollouts import kept
from bot.adapters.kubernetes.scaling import targets
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain.errors import PultError, RateLimitedError, TemporaryError, UserError, ungrouped
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Environment
from bot.ports.clock import Clock
from bot.ports.cluster import Workload
from bot.ports.diagnoses import Cohort, Diagnosis, Health, Version

T = TypeVar("T")
Object: TypeAlias = dict[str, Any]
EXAMINED: Final = 4
"""Cohorts of which more is asked than the list of pods tells, the worst first."""
NODES: Final = 100
"""Nodes of one part of a list: each names the images it has, some 30 KB."""
WAIT: Final = 2.0
"""Seconds that an overloaded server may ask for before it is asked once more; people wait no longer."""
PATIENCE: Final = 4.0
"""Seconds for one cluster: ten thousand pods take less than two, and the other clusters' answer waits no longer."""
LISTS: Final = {
    "autoscalers": ("AutoscalingV2Api", "list_namespaced_horizontal_pod_autoscaler"),
    "budgets": ("PolicyV1Api", "list_namespaced_pod_disruption_budget"),
}
WORDS: Final = {
    "autoscalers": phrase("autoscalers"), "budgets": phrase("disruption budgets"), "nodes": phrase("nodes"),
    "events": phrase("events"),
}  # fmt: skip


@dataclass
class _Round:
    """What the first round found. ``around``: lists by name, or why they could not be read."""

    obj: Object
    census: Census
    around: Mapping[str, list[Object] | PultError]

    def have(self, name: str) -> list[Object]:
        found = self.around[name]
        return [] if isinstance(found, PultError) else found


class KubernetesDiagnoses:
    """Of every configured cluster."""

    def __init__(self, apis: Mapping[str, Api], clock: Clock, patience: float = PATIENCE) -> None:
        self._workloads, self._clock, self._patience = Workloads(apis), clock, patience

    async def diagnosis(self, environment: Environment) -> Diagnosis:
        """See the port."""
        await self._workloads.api(environment.cluster).open()  # importing the library is not the cluster's delay
        try:
            async with asyncio.timeout(self._patience):
                return await self._patiently(environment)
        except TimeoutError as error:
            name = environment.cluster
            said = phrase("{cluster} does not answer in time", cluster=Code(name))
            raise TemporaryError(f"{name} took more than {self._patience:g} s", said=said) from error

    async def _patiently(self, environment: Environment) -> Diagnosis:
        """An overloaded server that names a short delay (429, Retry-After) is asked once more."""
        try:
            return await self._diagnosis(environment)
        except RateLimitedError as error:
            if error.delay is None or error.delay > WAIT:
                raise
            await self._clock.sleep(error.delay)
            return await self._diagnosis(environment)

    async def _diagnosis(self, environment: Environment) -> Diagnosis:
        api = self._workloads.api(environment.cluster)
        found = await self._first(api, environment)
        census = found.census
        cohorts = census.cohorts
        asked = [each for each in cohorts if each.health <= Health.SHAKEN][:EXAMINED]
        async with asyncio.TaskGroup() as group:
            newest = group.create_task(_tried(_newest(api, environment, found.obj, census)))
            inquiry = Inquiry(api, environment.namespace, found.have("nodes"))
            heard = [group.create_task(inquiry.of(each)) for each in asked]
        told = [task.result() for task in heard]
        return Diagnosis(
            rollout=judge.rollout(environment.kind, found.obj),
            pods=tuple(census.pods),
            cohorts=tuple(_cohorts(cohorts, told)),
            versions=_versions(census, newest.result()),
            around=tuple(_around(environment, found)),
            unread=tuple(_unread(_missed(found), [silence for each in told for silence in each.unread])),
        )

    async def _first(self, api: Api, environment: Environment) -> _Round:
        obj, namespace = await self._workloads.of(environment), environment.namespace
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                census = group.create_task(census_of(api, namespace, judge.selector(obj), self._clock.now()))
                around = {name: group.create_task(_tried(paged(api, *call, namespace))) for name, call in LISTS.items()}
                around["nodes"] = group.create_task(_tried(_nodes(api)))
        return _Round(obj, census.result(), {name: task.result() for name, task in around.items()})


async def _tried(work: Awaitable[T]) -> T | PultError:
    try:
        return await work
    except PultError as error:
        return error


async def _nodes(api: Api) -> list[Object]:
    """Without what nobody here looks at: most of a node is the list of its images."""
    found: list[Object] = []
    async for page in pages(api, "CoreV1Api", "list_node", limit=NODES):
        for node in page:
            status = node.get("status") or {}
            kept_of = {key: status.get(key) for key in ("conditions", "allocatable")}
            found.append({"metadata": node["metadata"], "spec": node.get("spec") or {}, "status": kept_of})
    return found


async def _newest(api: Api, environment: Environment, obj: Object, census: Census) -> str:
    """The hash of the template that is asked for; empty while there is one version only."""
    if len(census.editions) < 2:
        return ""
    status = obj.get("status") or {}
    match environment.kind:
        case "statefulset":
            return str(status.get("updateRevision") or "")
        case judge.ROLLOUT:
            return str(status.get("currentPodHash") or "")
        case _:
            every = await kept(api, environment.kind, environment.namespace, obj)
            last = max(every, key=history.number, default=None)
            labels = (last["metadata"].get("labels") or {}) if last else {}
            return next((str(labels[name]) for name in HASHES if name in labels), "")


def _versions(census: Census, newest: str | PultError) -> tuple[Version, ...]:
    if len(census.editions) < 2:
        return ()
    known = newest if isinstance(newest, str) and newest in census.editions else None
    found = [
        Version(None if known is None else name == known, each.images, each.ready, each.total)
        for name, each in census.editions.items()
    ]
    return tuple(sorted(found, key=lambda each: (not each.new, -each.total)))


def _cohorts(gathered: Iterable[Gathered], told: list[Any]) -> Iterable[Cohort]:
    heard = {id(each.of): each for each in told}
    for each in gathered:
        yield cohort(each, heard.get(id(each)))


def _around(environment: Environment, found: _Round) -> Iterable[Phrase]:
    nodes, used = found.have("nodes"), found.census.nodes
    labels = found.obj["spec"]["template"].get("metadata", {}).get("labels") or {}
    mine = [each for each in found.have("budgets") if selects(each["spec"].get("selector"), labels)]
    workload = Workload.of(environment)
    yield from judge_nodes.ailing(nodes, used)
    yield from judge_around.budgets(mine, judge_nodes.cordoned(nodes, used))
    for scaler in found.have("autoscalers"):
        if targets(scaler, workload):
            yield from judge_around.autoscaler(scaler)


def _missed(found: _Round) -> dict[str, list[Object] | PultError]:
    """Nodes may be left unread on purpose: of those it is told only where a pod has none."""
    pending = any(each.health is Health.PENDING for each in found.census.cohorts)
    return {name: each for name, each in found.around.items() if name != "nodes" or pending}


def _unread(around: Mapping[str, list[Object] | PultError], more: Iterable[PultError]) -> Iterable[Phrase]:
    every = [(name, each) for name, each in around.items() if isinstance(each, PultError)]
    every += [("events", each) for each in more]
    for name, error in dict(every).items():
        why = error.phrase if isinstance(error, UserError) else phrase("they did not come")
        yield phrase("{what} are not known: {why}", what=WORDS[name], why=why)
