"""The Machine port over a workload: a database server's StatefulSet, scaled to none and back."""

from __future__ import annotations

from collections.abc import Mapping

from bot.adapters.kubernetes import access, judge
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict, versioned
from bot.adapters.kubernetes.found import pods_of
from bot.adapters.kubernetes.notes import annotation
from bot.adapters.kubernetes.workloads import Workloads
from bot.ports.cluster import Workload

BEFORE = "pult.dev/stopped-from"
"""Annotation: how many replicas there were before pult stopped it."""


class WorkloadMachine:
    """Pods of a node out of reach stay listed until the node says that they are gone: till then, not stopped."""

    def __init__(self, apis: Mapping[str, Api], workload: Workload) -> None:
        self._workloads, self._workload = Workloads(apis), workload

    async def stop(self) -> None:
        """Scale to none, and remember from how many."""
        await self._scale(0)

    async def stopped(self) -> bool:
        """None wanted, none counted, and not a pod left, be it on its way out."""
        obj = await self._workloads.read(self._workload)
        if obj["spec"].get("replicas", 1) or obj.get("status", {}).get("replicas"):
            return False
        api = self._workloads.api(self._workload.cluster)
        return not await pods_of(api, self._workload.namespace, judge.selector(obj))

    async def start(self) -> None:
        """Scale to as many as there were."""
        await self._scale(None)

    async def allowed(self) -> str:
        """By access reviews of what it takes."""
        api, space = self._workloads.api(self._workload.cluster), self._workload.namespace
        kind = f"apps/{self._workload.kind}s"
        wanted = (("get", kind), ("patch", kind), ("list", "pods"))
        missing = [f"{verb} {what}" for verb, what in wanted if not await access.may(api, space, verb, what)]
        return f"{self._workload.cluster} does not let pult {', '.join(missing)} in {space}" if missing else ""

    async def _scale(self, wanted: int | None) -> None:
        """Under the resourceVersion that was read."""

        async def change() -> None:
            obj = await self._workloads.read(self._workload)
            have = obj["spec"].get("replicas", 1)
            if (have == 0) == (wanted == 0):
                return
            patch = versioned(obj, {"replicas": int(annotation(obj, BEFORE) or 1) if wanted is None else wanted})
            patch["metadata"]["annotations"] = {BEFORE: str(have) if wanted == 0 else None}
            await self._workloads.patch(self._workload, patch)

        await retry_on_conflict(self._workload.name, change)
