"""The Cluster port over every configured Kubernetes cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from bot.adapters.kubernetes import judge
from bot.adapters.kubernetes.client import MERGE, STRATEGIC, Api
from bot.adapters.kubernetes.found import KINDS, configured, pods_of, workload_object
from bot.adapters.kubernetes.past import Past
from bot.adapters.kubernetes.revisions import RESTARTED_AT
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.verdicts import GoneError
from bot.domain.changes import ClusterChange
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code
from bot.domain.services import Environment
from bot.ports.cluster import Pod, Rollout, Workload

TRIES = 5


class KubernetesCluster:
    """``workload.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self.apis = apis
        self._past = {name: Past(api, name) for name, api in apis.items()}

    async def rollout(self, workload: Workload) -> Rollout:
        """State of the workload now."""
        return judge.rollout(workload.kind, await self._read(workload))

    async def pods(self, workload: Workload) -> tuple[Pod, ...]:
        """Its pods, by its own selector, in pages."""
        selector = judge.selector(await self._read(workload))
        return tuple(map(judge.pod, await pods_of(self._api(workload.cluster), workload.namespace, selector)))

    async def changes(self, environment: Environment, since: datetime) -> tuple[ClusterChange, ...]:
        """What the cluster itself says was changed, by whomever."""
        workload = Workload(environment.cluster, environment.namespace, environment.kind, environment.workload)
        obj = await self._read(workload)
        return await self._past[environment.cluster].changes(environment, obj, since)

    async def restart(self, workload: Workload, operation: str, at: datetime) -> None:
        """As ``kubectl rollout restart`` does; the operation's id on the template makes a repeat harmless.

        Under the resourceVersion that was read: a patch that was on its way when pult died comes too late for it.
        """
        annotations = {RESTARTED_AT: at.isoformat(timespec="seconds"), judge.OPERATION: operation}
        for _ in range(TRIES):
            obj = await self._read(workload)
            if judge.rollout(workload.kind, obj).restarted_by == operation:
                return
            patch = {
                "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]},
                "spec": {"template": {"metadata": {"annotations": annotations}}},
            }
            try:
                await self._patch(workload, patch, MERGE)
            except DriftError:  # its status moved on
                continue
            return
        raise DriftError("{name} changes too fast to be patched.", name=Code(workload.name))

    async def delete_pod(self, workload: Workload, pod: str) -> None:
        """A pod that is gone already is done."""
        if pod not in {found.name for found in await self.pods(workload)}:
            return
        with suppress(GoneError):
            await self._api(workload.cluster).call("CoreV1Api", "delete_namespaced_pod", pod, workload.namespace)

    async def set_image(self, workload: Workload, image: str, template: str) -> None:
        """Patch under the resourceVersion that was read, so that nobody's change is overwritten."""
        for _ in range(TRIES):
            obj = await self._read(workload)
            if judge.template_hash(obj) != template:
                raise DriftError("{name} was changed meanwhile.", name=Code(workload.name))
            patch = {
                "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]},
                "spec": {"template": {"spec": {"containers": _containers(obj, image)}}},
            }
            try:
                await self._patch(workload, patch, STRATEGIC)
            except DriftError:  # its status moved on; the template decides in the next round
                continue
            return
        raise DriftError("{name} changes too fast to be patched.", name=Code(workload.name))

    async def scale(self, workload: Workload, replicas: int) -> None:
        """Set the wanted number of replicas."""
        if workload.kind == "daemonset":  # the server would drop the field without a word
            why = "a daemonset runs one pod on each node"
            raise UserError("{cluster} refuses this: {why}", cluster=workload.cluster, why=why)
        await self._patch(workload, {"spec": {"replicas": replicas}}, MERGE)

    async def version(self, cluster: str) -> str:
        """The API server's version: proves that it answers."""
        answer = await self._api(cluster).call("VersionApi", "get_code")
        return str(answer.get("gitVersion", "?"))

    async def may(self, cluster: str, namespace: str, verb: str, resource: str) -> bool:
        """SelfSubjectAccessReview: whether pult may *verb* *resource* in *namespace*.

        A *resource* is written with its group and its part: ``apps/deployments``, ``pods:log``.
        """
        group, _, named = resource.rpartition("/")
        name, _, part = named.partition(":")
        attributes = {"group": group, "resource": name, "subresource": part, "verb": verb, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._api(cluster).call("AuthorizationV1Api", "create_self_subject_access_review", body=review)
        return answer.get("status", {}).get("allowed") is True

    def _api(self, cluster: str) -> Api:
        return configured(self.apis, cluster)

    async def _read(self, workload: Workload) -> dict[str, Any]:
        return await workload_object(self._api(workload.cluster), workload.kind, workload.namespace, workload.name)

    async def _patch(self, workload: Workload, patch: dict[str, Any], content_type: str) -> None:
        method = f"patch_namespaced_{KINDS[workload.kind]}"
        await self._api(workload.cluster).call(
            "AppsV1Api", method, workload.name, workload.namespace, body=patch, _content_type=content_type
        )


def _containers(obj: dict[str, Any], image: str) -> list[dict[str, str]]:
    """Strategic merge entries for every container of *image*'s repository."""
    repository = judge.repository(image)
    found = [
        {"name": container["name"], "image": image}
        for container in obj["spec"]["template"]["spec"]["containers"]
        if judge.repository(container["image"]) == repository
    ]
    if not found:
        raise UserError(
            "No container of {name} runs {image}.", name=Code(obj["metadata"]["name"]), image=Code(repository)
        )
    return found


@asynccontextmanager
async def open_clusters(settings: Iterable[ClusterSettings]) -> AsyncGenerator[KubernetesCluster, None]:
    """Connects lazily: a cluster that is down at start does not stop the rest."""
    apis = {each.name: Api(each) for each in settings}
    try:
        yield KubernetesCluster(apis)
    finally:
        for api in apis.values():
            await api.close()
