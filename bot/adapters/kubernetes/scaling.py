"""The Scaling port: the number of replicas, and the HorizontalPodAutoscaler that owns it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.found import paged
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.notes import annotation
from bot.adapters.kubernetes.workloads import Workloads, versioned
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code
from bot.ports.cluster import Workload
from bot.ports.scaling import Autoscaler

TRIES = 5
SCALED = "pult.dev/scaled"
"""Annotation: which operation set the number of replicas last."""


class KubernetesScaling:
    """``workload.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._workloads = Workloads(apis)

    async def autoscaler(self, workload: Workload) -> Autoscaler | None:
        """By what it names as its target; a number of least that is left out means 1 (autoscaling/v2)."""
        api = self._workloads.api(workload.cluster)
        listed = "list_namespaced_horizontal_pod_autoscaler"
        for each in await paged(api, "AutoscalingV2Api", listed, workload.namespace):
            if targets(each, workload):
                spec = each["spec"]
                least = spec.get("minReplicas")
                return Autoscaler(each["metadata"]["name"], 1 if least is None else least, spec["maxReplicas"])
        return None

    async def scale(self, workload: Workload, replicas: int, operation: str) -> None:
        """Under the resourceVersion that was read: a patch that was on its way when pult died comes too late for it."""
        if workload.kind == "daemonset":  # the server would drop the field without a word
            raise UserError("A {kind} runs one pod on each node: it has no number to set.", kind=workload.kind)
        for _ in range(TRIES):
            obj = await self._workloads.read(workload)
            if annotation(obj, SCALED) == operation:
                return
            patch = versioned(obj, {"replicas": replicas})
            patch["metadata"]["annotations"] = {SCALED: operation}
            with suppress(DriftError):  # its status moved on
                await self._workloads.patch(workload, patch)
                return
        raise DriftError("{name} changes too fast to be patched.", name=Code(workload.name))


def targets(scaler: Object, workload: Workload) -> bool:
    """Whether *scaler* is set on *workload*.

    Kinds are compared without their group: an obsolete one is resolved by the controller all the same.
    """
    target = scaler["spec"]["scaleTargetRef"]
    return (str(target["kind"]).lower(), target["name"]) == (workload.kind, workload.name)
