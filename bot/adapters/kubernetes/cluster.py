"""The Cluster port over every configured Kubernetes cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from bot.adapters.kubernetes import access, judge
from bot.adapters.kubernetes.anatomies import KubernetesAnatomies
from bot.adapters.kubernetes.client import MERGE, STRATEGIC, Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict, versioned
from bot.adapters.kubernetes.evictions import KubernetesEvictions
from bot.adapters.kubernetes.found import anew, pages
from bot.adapters.kubernetes.gitops import KubernetesGitOps
from bot.adapters.kubernetes.nodes import KubernetesNodes
from bot.adapters.kubernetes.notes import OPERATION
from bot.adapters.kubernetes.past import Past
from bot.adapters.kubernetes.revisions import RESTARTED_AT
from bot.adapters.kubernetes.rollouts import KubernetesRollouts
from bot.adapters.kubernetes.scaling import KubernetesScaling
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.verdicts import ConflictError, GoneError
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain.changes import ClusterChange
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code
from bot.domain.services import Environment
from bot.ports.cluster import Pod, Rollout, Workload


class KubernetesCluster:
    """``workload.cluster`` picks the API server. The parts use its connections."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self.apis = apis
        self.gitops = KubernetesGitOps(apis)
        self.rollouts = KubernetesRollouts(apis)
        self.scaling = KubernetesScaling(apis)
        self.evictions = KubernetesEvictions(apis)
        self.nodes = KubernetesNodes(apis)
        self.anatomies = KubernetesAnatomies(apis)
        self._workloads = Workloads(apis)
        self._past = {name: Past(api, name) for name, api in apis.items()}

    async def rollout(self, workload: Workload) -> Rollout:
        """State of the workload now."""
        return judge.rollout(workload.kind, await self._workloads.read(workload))

    async def pods(self, workload: Workload) -> tuple[Pod, ...]:
        """Its pods, by its own selector, in pages."""
        selector = judge.selector(await self._workloads.read(workload))
        api = self._workloads.api(workload.cluster)
        return await anew(lambda: _judged(api, workload.namespace, selector))

    async def changes(self, environment: Environment, since: datetime) -> tuple[ClusterChange, ...]:
        """What the cluster itself says was changed, by whomever."""
        obj = await self._workloads.of(environment)
        return await self._past[environment.cluster].changes(environment, obj, since)

    async def restart(self, workload: Workload, operation: str, at: datetime) -> None:
        """As ``kubectl rollout restart`` does; the operation's id beside it makes a repeat harmless.

        Under the resourceVersion that was read: a patch that was on its way when pult died comes too late for it.
        """

        async def change() -> None:
            obj = await self._workloads.read(workload)
            if judge.rollout(workload.kind, obj).restarted_by == operation:
                return
            await self._workloads.patch(workload, _restarted(workload, obj, operation, at))

        await retry_on_conflict(workload.name, change)

    async def delete_pod(self, workload: Workload, pod: str, uid: str) -> None:
        """Under its uid: the next pod of the name is another, and stays."""
        if (pod, uid) not in {(found.name, found.uid) for found in await self.pods(workload)}:
            return
        api, only = self._workloads.api(workload.cluster), {"preconditions": {"uid": uid}}
        with suppress(GoneError, ConflictError):  # gone, or another pod has its name: it is done
            await api.call("CoreV1Api", "delete_namespaced_pod", pod, workload.namespace, body=only)

    async def set_image(self, workload: Workload, image: str, template: str) -> None:
        """Patch under the resourceVersion that was read, so that nobody's change is overwritten.

        Where a Rollout takes its template from a Deployment, that one is patched: the Rollout follows it.
        """

        async def change() -> None:
            holder, obj = await self._workloads.holder(workload)
            if judge.template_hash(obj) != template:
                raise DriftError("{name} was changed meanwhile.", name=Code(workload.name))
            custom = holder.kind == judge.ROLLOUT  # there a patch replaces the whole list
            containers = _all(obj, image) if custom else _changed(obj, image)
            patch = versioned(obj, {"template": {"spec": {"containers": containers}}})
            await self._workloads.patch(holder, patch, MERGE if custom else STRATEGIC)

        await retry_on_conflict(workload.name, change)

    async def version(self, cluster: str) -> str:
        """The API server's version: proves that it answers."""
        answer = await self._workloads.api(cluster).call("VersionApi", "get_code")
        return str(answer.get("gitVersion", "?"))

    async def may(self, cluster: str, namespace: str, verb: str, resource: str) -> bool:
        """Whether pult may *verb* *resource* in *namespace*."""
        return await access.may(self._workloads.api(cluster), namespace, verb, resource)


async def _judged(api: Api, namespace: str, selector: str) -> tuple[Pod, ...]:
    """Page by page: nobody needs all of them whole at once."""
    found: list[Pod] = []
    async for page in pages(api, "CoreV1Api", "list_namespaced_pod", namespace, label_selector=selector):
        found += map(judge.pod, page)
    return tuple(found)


def _restarted(workload: Workload, obj: dict[str, Any], operation: str, at: datetime) -> dict[str, Any]:
    """The patch that restarts it. A Rollout has a field for that: on its template it would be a new version."""
    when = at.isoformat(timespec="seconds")
    if workload.kind == judge.ROLLOUT:
        patch = versioned(obj, {"restartAt": when})
        patch["metadata"]["annotations"] = {OPERATION: operation}
        return patch
    annotations = {RESTARTED_AT: when, OPERATION: operation}
    return versioned(obj, {"template": {"metadata": {"annotations": annotations}}})


def _changed(obj: dict[str, Any], image: str) -> list[dict[str, Any]]:
    """Strategic merge entries for every container of *image*'s repository. UserError: it has none."""
    repository = judge.repository(image)
    containers = obj["spec"]["template"]["spec"]["containers"]
    found = [each["name"] for each in containers if judge.repository(each["image"]) == repository]
    if not found:
        raise UserError(
            "No container of {name} runs {image}.", name=Code(obj["metadata"]["name"]), image=Code(repository)
        )
    return [{"name": name, "image": image} for name in found]


def _all(obj: dict[str, Any], image: str) -> list[dict[str, Any]]:
    """Every container as it is, those of *image*'s repository with it."""
    changed = {each["name"]: each for each in _changed(obj, image)}
    return [each | changed.get(each["name"], {}) for each in obj["spec"]["template"]["spec"]["containers"]]


@asynccontextmanager
async def open_clusters(settings: Iterable[ClusterSettings]) -> AsyncGenerator[KubernetesCluster, None]:
    """Connects lazily: a cluster that is down at start does not stop the rest."""
    apis = {each.name: Api(each) for each in settings}
    try:
        yield KubernetesCluster(apis)
    finally:
        for api in apis.values():
            await api.close()
