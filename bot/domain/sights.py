"""What is seen of a cluster's objects: of each only what tells trouble, so that ten thousand pods take little room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Kind(StrEnum):
    """Kinds of objects that are watched."""

    POD = "pod"
    DEPLOYMENT = "deployment"
    STATEFULSET = "statefulset"
    DAEMONSET = "daemonset"
    ROLLOUT = "rollout"
    JOB = "job"
    CERTIFICATE = "certificate"


class Place(NamedTuple):
    """One watch: objects of one kind in one namespace of one cluster."""

    cluster: str
    namespace: str
    kind: Kind


class Owner(NamedTuple):
    """Whose trouble it is. ``kind``: deployment, statefulset, daemonset, rollout, cronjob, job, certificate, pod…"""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Ailment:
    """What ails a pod; most have none.

    ``pending``: since when it waits to run, with the scheduler's words in ``why``. ``image`` can't be pulled, and
    ``firm`` says that the kubelet has tried more than once. ``looping``: a container waits before it is started again.
    ``ended``: when a container died last, and ``how``; ``killed``: when ``hog`` was killed for its memory last.
    """

    pending: datetime | None = None
    why: str = ""
    image: str = ""
    firm: bool = False
    looping: bool = False
    ended: datetime | None = None
    how: str = ""
    killed: datetime | None = None
    hog: str = ""


WELL = Ailment()


@dataclass(frozen=True, slots=True)
class PodSight:
    """One pod. ``uid``: another one may come to bear its name. ``restarts``: of all its containers."""

    uid: str
    owner: Owner
    restarts: int = 0
    ailment: Ailment = WELL


@dataclass(frozen=True, slots=True)
class RolloutSight:
    """A workload's way to its template. ``stuck``: its controller's words. ``under_way``: how far it is, or None."""

    owner: Owner
    stuck: str = ""
    under_way: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class JobSight:
    """A Job that ended, or has not yet. ``owner`` is its CronJob where it has one."""

    owner: Owner
    ended: datetime | None = None
    failed: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class CertificateSight:
    """A Certificate of cert-manager. ``unready``: since when it is not ready; ``lifetime`` of the one it has now."""

    owner: Owner
    unready: datetime | None = None
    why: str = ""
    expires: datetime | None = None
    lifetime: timedelta | None = None


Sight: TypeAlias = PodSight | RolloutSight | JobSight | CertificateSight
