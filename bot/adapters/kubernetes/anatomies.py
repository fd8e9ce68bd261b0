"""The Anatomies port: a workload's template, and the budgets, policies and autoscalers of its namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.adapters.kubernetes import anatomy
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain.anatomy import Anatomy
from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.services import Environment

LISTS = {
    "poddisruptionbudgets": ("PolicyV1Api", "list_namespaced_pod_disruption_budget"),
    "networkpolicies": ("NetworkingV1Api", "list_namespaced_network_policy"),
    "horizontalpodautoscalers": ("AutoscalingV2Api", "list_namespaced_horizontal_pod_autoscaler"),
}


class KubernetesAnatomies:
    """Of every configured cluster."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._workloads = Workloads(apis)

    async def anatomy(self, environment: Environment) -> Anatomy:
        """Of what pult may not list, or what does not come, nothing is said."""
        obj, api = await self._workloads.of(environment), self._workloads.api(environment.cluster)
        async with asyncio.TaskGroup() as group:
            asked = {name: group.create_task(_listed(api, name, environment.namespace)) for name in LISTS}
        around = {name: found for name, task in asked.items() if (found := task.result()) is not None}
        return anatomy.read(environment.kind, environment.workload, obj, around)


async def _listed(api: Api, name: str, namespace: str) -> list[Object] | None:
    group, method = LISTS[name]
    try:
        return list((await api.call(group, method, namespace)).get("items") or ())
    except (UserError, TemporaryError, PermanentError):
        return None
