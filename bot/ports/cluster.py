"""Kubernetes, as far as duties need it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.changes import ClusterChange
from bot.domain.phrases import Phrase
from bot.domain.progressive import Progressive
from bot.domain.services import Environment


@dataclass(frozen=True)
class Workload:
    """``kind`` is deployment, statefulset, daemonset, or rollout (of Argo Rollouts)."""

    cluster: str
    namespace: str
    kind: str
    name: str

    @classmethod
    def of(cls, environment: Environment) -> Workload:
        return cls(environment.cluster, environment.namespace, environment.kind, environment.workload)


@dataclass(frozen=True)
class Rollout:
    """State of a workload, judged as ``kubectl rollout status`` does. ``images`` are in the containers' order.

    ``stuck``: why it will not finish by itself, or None. ``template`` changes only when the pod template does.
    ``restarted_by``: operation of the last restart through pult. ``progressive``: a ``rollout``'s way to a new version.
    ``missing``: how many pods its strategy lets be missing while it rolls."""

    desired: int
    updated: int
    ready: int
    available: int
    done: bool
    stuck: Phrase | None
    images: tuple[str, ...]
    template: str
    paused: bool = False
    restarted_by: str = ""
    progressive: Progressive | None = None
    missing: int = 0


@dataclass(frozen=True)
class Pod:
    """``trouble``: why it is not ready, or None. ``node``: empty while pending. ``uid``: never another's."""

    name: str
    phase: str
    ready: bool
    restarts: int
    started_at: datetime | None
    node: str
    trouble: Phrase | None = None
    uid: str = ""


class Cluster(Protocol):
    """UserError: no such workload, or RBAC forbids (says which verb). TemporaryError: API server out of reach."""

    async def rollout(self, workload: Workload) -> Rollout: ...
    async def pods(self, workload: Workload) -> tuple[Pod, ...]: ...

    async def changes(self, environment: Environment, since: datetime) -> tuple[ClusterChange, ...]:
        """What was done to its workload since then, of what pult may read; servers keep events for an hour.
        TemporaryError: something of it did not come."""

    async def restart(self, workload: Workload, operation: str, at: datetime) -> None:
        """Roll every pod. The operation's id is kept on the template, so a second call with it changes nothing."""

    async def delete_pod(self, workload: Workload, pod: str, uid: str) -> None: ...
    async def set_image(self, workload: Workload, image: str, template: str) -> None:
        """Make the containers of *image*'s repository run it. DriftError: *template* is no longer current."""
