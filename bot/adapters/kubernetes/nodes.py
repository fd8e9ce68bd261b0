"""The Nodes port: what ``kubectl cordon`` does, and what stands on a node (kubectl pkg/drain/filters.go)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.adapters.kubernetes.client import STRATEGIC, Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict, versioned
from bot.adapters.kubernetes.evictions import resident
from bot.adapters.kubernetes.found import configured, paged
from bot.adapters.kubernetes.judge import Object
from bot.domain.errors import DriftError
from bot.domain.phrases import Code
from bot.ports.evictions import Resident
from bot.ports.nodes import Node


class KubernetesNodes:
    """``node.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._apis = apis

    async def nodes(self, cluster: str) -> tuple[Node, ...]:
        """Every node of *cluster*."""
        found = await paged(configured(self._apis, cluster), "CoreV1Api", "list_node")
        return tuple(_node(cluster, obj) for obj in found)

    async def mark(self, node: Node, *, closed: bool) -> None:
        """Under the resourceVersion that was read: a patch that was on its way when pult died comes too late for it."""
        api = configured(self._apis, node.cluster)

        async def change() -> None:
            obj = await api.call("CoreV1Api", "read_node", node.name)
            if obj["metadata"]["uid"] != node.uid:
                raise DriftError("Another machine is called {node} by now.", node=Code(node.name))
            if _node(node.cluster, obj).closed is closed:
                return
            patch = versioned(obj, {"unschedulable": True if closed else None})
            await api.call("CoreV1Api", "patch_node", node.name, body=patch, _content_type=STRATEGIC)

        await retry_on_conflict(node.name, change)

    async def residents(self, node: Node) -> tuple[Resident, ...]:
        """Every pod on it."""
        api, wanted = configured(self._apis, node.cluster), f"spec.nodeName={node.name}"
        found = await paged(api, "CoreV1Api", "list_pod_for_all_namespaces", field_selector=wanted)
        return tuple(resident(node.cluster, obj) for obj in found)


def _node(cluster: str, obj: Object) -> Node:
    meta, conditions = obj["metadata"], (obj.get("status") or {}).get("conditions") or ()
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return Node(cluster, meta["name"], meta["uid"], ready, (obj.get("spec") or {}).get("unschedulable") is True)
