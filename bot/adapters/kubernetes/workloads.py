"""Reading and patching workloads of every kind: the built-in ones, and the Rollouts of Argo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from bot.adapters.kubernetes import judge, resources
from bot.adapters.kubernetes.client import MERGE, Api
from bot.adapters.kubernetes.found import configured
from bot.adapters.kubernetes.resources import ROLLOUT
from bot.domain.errors import UserError
from bot.domain.phrases import Code
from bot.domain.services import Environment
from bot.ports.cluster import Workload

Object: TypeAlias = dict[str, Any]
BY_REPLICASETS = frozenset({"deployment", judge.ROLLOUT})
"""Kinds that keep each template in a ReplicaSet; the others do in ControllerRevisions."""
KINDS = {"deployment": "deployment", "statefulset": "stateful_set", "daemonset": "daemon_set"}


class Workloads:
    """``workload.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._apis = apis

    def api(self, cluster: str) -> Api:
        """UserError: no such cluster is configured."""
        return configured(self._apis, cluster)

    async def read(self, workload: Workload) -> Object:
        """The object. A Rollout that takes its template from a Deployment has that template and selector put in."""
        obj = await self._read(workload)
        if reference := _reference(workload, obj):
            other = (await self._read(reference))["spec"]
            shared = {"template": other["template"], "selector": obj["spec"].get("selector") or other["selector"]}
            return obj | {"spec": obj["spec"] | shared}
        return obj

    async def of(self, environment: Environment) -> Object:
        """The object that runs in *environment*."""
        return await self.read(Workload.of(environment))

    async def holder(self, workload: Workload) -> tuple[Workload, Object]:
        """The object whose template counts: the workload, or the Deployment that a Rollout's workloadRef names."""
        obj = await self._read(workload)
        if reference := _reference(workload, obj):
            return reference, await self._read(reference)
        return workload, obj

    async def patch(self, workload: Workload, body: object, content_type: str = MERGE) -> Object:
        """ConflictError: *body* names a resourceVersion that is no longer current."""
        api = self.api(workload.cluster)
        if workload.kind == judge.ROLLOUT:
            return await resources.patch(api, ROLLOUT, workload.namespace, workload.name, body, kind=content_type)
        method, place = f"patch_namespaced_{KINDS[workload.kind]}", (workload.name, workload.namespace)
        return await api.call("AppsV1Api", method, *place, body=body, _content_type=content_type)

    async def patch_status(self, workload: Workload, status: Object, version: str = "") -> Object:
        """Of a Rollout: its controller takes orders there. ``version``: only while this resourceVersion is current."""
        body = {"status": status} | ({"metadata": {"resourceVersion": version}} if version else {})
        place = (ROLLOUT, workload.namespace, workload.name)
        return await resources.patch(self.api(workload.cluster), *place, body, status=True)

    async def _read(self, workload: Workload) -> Object:
        api = self.api(workload.cluster)
        if workload.kind == judge.ROLLOUT:
            return await resources.read(api, ROLLOUT, workload.namespace, workload.name)
        return await api.call("AppsV1Api", f"read_namespaced_{KINDS[workload.kind]}", workload.name, workload.namespace)


def _reference(workload: Workload, obj: Object) -> Workload | None:
    """What a Rollout's workloadRef names. Argo knows ReplicaSets and PodTemplates, too; nobody here changes those."""
    if workload.kind != judge.ROLLOUT:
        return None
    reference = obj["spec"].get("workloadRef")
    if not reference:
        return None
    if reference.get("kind") != "Deployment":
        raise UserError(
            "{name} takes its template from a {kind}, which pult does not follow.",
            name=Code(workload.name), kind=str(reference.get("kind")),
        )  # fmt: skip
    return replace(workload, kind="deployment", name=str(reference["name"]))
