"""The Scaling port: the number of replicas, and the HorizontalPodAutoscaler that owns it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.client import MERGE, Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict, versioned
from bot.adapters.kubernetes.found import paged
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.notes import annotation
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code
from bot.ports.cluster import Workload
from bot.ports.scaling import Autoscaler

SCALED = "pult.dev/scaled"
"""Annotation: which operation set the number of replicas last."""
SCALERS = "autoscaling/horizontalpodautoscalers"
SCALED_KINDS = {
    "deployment": "apps/deployments", "statefulset": "apps/statefulsets", "rollout": "argoproj.io/rollouts",
}  # fmt: skip


class KubernetesScaling:
    """``workload.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._workloads = Workloads(apis)

    async def autoscaler(self, workload: Workload) -> Autoscaler | None:
        """By what it names as its target."""
        found = await self._found(workload)
        return _read(found) if found else None

    async def bound(self, workload: Workload, scaler: Autoscaler) -> None:
        """Under the resourceVersion that was read, as :meth:`scale`."""
        method, place = "patch_namespaced_horizontal_pod_autoscaler", (scaler.name, workload.namespace)
        api = self._workloads.api(workload.cluster)

        async def change() -> None:
            found = await self._found(workload)
            if found is None or found["metadata"]["name"] != scaler.name:
                raise DriftError("The autoscaler {name} is gone.", name=Code(scaler.name))
            if _read(found) == scaler:
                return
            patch = versioned(found, {"minReplicas": scaler.least, "maxReplicas": scaler.most})
            await api.call("AutoscalingV2Api", method, *place, body=patch, _content_type=MERGE)

        await retry_on_conflict(scaler.name, change)

    async def _found(self, workload: Workload) -> Object | None:
        api = self._workloads.api(workload.cluster)
        listed = "list_namespaced_horizontal_pod_autoscaler"
        every = await paged(api, "AutoscalingV2Api", listed, workload.namespace)
        return next((each for each in every if targets(each, workload)), None)

    async def scale(self, workload: Workload, replicas: int, operation: str) -> None:
        """Under the resourceVersion that was read: a patch that was on its way when pult died comes too late for it."""
        if workload.kind == "daemonset":  # the server would drop the field without a word
            raise UserError("A {kind} runs one pod on each node: it has no number to set.", kind=workload.kind)

        async def change() -> None:
            obj = await self._workloads.read(workload)
            if annotation(obj, SCALED) == operation:
                return
            patch = versioned(obj, {"replicas": replicas})
            patch["metadata"]["annotations"] = {SCALED: operation}
            await self._workloads.patch(workload, patch)

        await retry_on_conflict(workload.name, change)

    async def allowed(self, workload: Workload) -> str:
        """By access reviews: of the workload, and of its autoscaler where it has one."""
        if workload.kind not in SCALED_KINDS:
            return f"a {workload.kind} has no number of pods"
        api, space = self._workloads.api(workload.cluster), workload.namespace
        what = [SCALERS] if await self._found(workload) else [SCALED_KINDS[workload.kind]]
        missing = [each for each in what if not await access.may(api, space, "patch", each)]
        return f"patch {', '.join(missing)} in {space}" if missing else ""


def _read(scaler: Object) -> Autoscaler:
    """A number of least that is left out means 1 (autoscaling/v2)."""
    spec = scaler["spec"]
    least = spec.get("minReplicas")
    return Autoscaler(scaler["metadata"]["name"], 1 if least is None else least, spec["maxReplicas"])


def targets(scaler: Object, workload: Workload) -> bool:
    """Whether *scaler* is set on *workload*.

    Kinds are compared without their group: an obsolete one is resolved by the controller all the same.
    """
    target = scaler["spec"]["scaleTargetRef"]
    return (str(target["kind"]).lower(), target["name"]) == (workload.kind, workload.name)
