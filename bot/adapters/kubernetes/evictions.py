"""The Evictions port: the eviction subresource of pods (contracts.md, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from bot.adapters.kubernetes import judge
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.found import configured, pods_of
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.notes import annotation, controller, time
from bot.adapters.kubernetes.verdicts import ConflictError, DisruptionError, GoneError
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, verbatim
from bot.ports.cluster import Workload
from bot.ports.evictions import Kin, Resident, Standing

SEVERAL = "more than one PodDisruptionBudget"
"""Of the server's message, which has no reason beside it: kubernetes pkg/registry/core/pod/storage/eviction.go."""
NUMBERS = frozenset({
    "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "batch.kubernetes.io/job-completion-index",
    "controller-revision-hash",
})  # fmt: skip
"""Labels in which pods of one controller differ, by number or by revision: kubernetes api apps/v1 and batch/v1
types.go. What takes an evicted pod's place in a StatefulSet may be of the next revision."""

MIRROR = "kubernetes.io/config.mirror"
"""On the mirror of a static pod, which only its kubelet can end."""


class KubernetesEvictions:
    """``pod.cluster`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._apis, self._workloads = apis, Workloads(apis)

    async def pods(self, workload: Workload) -> tuple[Resident, ...]:
        """Those that its own selector finds."""
        selector = judge.selector(await self._workloads.read(workload))
        found = await pods_of(self._workloads.api(workload.cluster), workload.namespace, selector)
        return tuple(resident(workload.cluster, obj) for obj in found)

    async def evict(self, pod: Standing, *, rehearse: bool = False) -> Phrase | None:
        """Under its uid: the next pod of the name is another, and stays."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        }
        asked: dict[str, object] = {"body": body} | ({"dry_run": "All"} if rehearse else {})
        api = configured(self._apis, pod.cluster)
        try:
            with suppress(GoneError, ConflictError):  # gone, or another pod has its name: it is done
                await api.call("CoreV1Api", "create_namespaced_pod_eviction", pod.name, pod.namespace, **asked)
        except DisruptionError as error:
            return verbatim(str(error))
        except TemporaryError as error:
            if SEVERAL not in str(error):
                raise
            raise UserError(
                "{pod} has several disruption budgets, so that it can never be evicted: leave it one of them.",
                pod=Code(pod.name),
            ) from error
        return None

    async def kin(self, pod: Standing) -> Kin:
        """By label first: a namespace may have thousands of pods."""
        found = await pods_of(configured(self._apis, pod.cluster), pod.namespace, pod.alike)
        mine = [each for each in found if controller(each["metadata"]).get("uid") == pod.kin and not _ends(each)]
        late = [_made(each) for each in mine if not judge.pod(each).ready]
        return Kin(len(mine) - len(late), max(late, default=None))


def resident(cluster: str, obj: Object) -> Resident:
    """The pod *obj* where it runs."""
    owner, volumes = controller(obj["metadata"]), (obj.get("spec") or {}).get("volumes") or ()
    return Resident(
        _standing(cluster, obj),
        f"{owner['kind'].lower()}/{owner['name']}" if owner else "",
        stays=owner.get("kind") == "DaemonSet" or bool(annotation(obj, MIRROR)),
        scratch=any("emptyDir" in each for each in volumes),
        ready=judge.pod(obj).ready,
        ends=_ends(obj),
    )


def _ends(obj: Object) -> datetime | None:
    """By when it was told to be gone."""
    return time(obj["metadata"].get("deletionTimestamp"))


def _made(obj: Object) -> datetime:
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"])


def _standing(cluster: str, obj: Object) -> Standing:
    """The pod *obj* as evictions name it."""
    meta = obj["metadata"]
    alike = (f"{key}={value}" for key, value in (meta.get("labels") or {}).items() if key not in NUMBERS)
    return Standing(
        cluster, meta["namespace"], meta["name"], meta["uid"], str(controller(meta).get("uid", "")), ",".join(alike)
    )
