"""What ails a workload: its pods, those that are alike counted together, and what holds it from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from bot.domain.phrases import Phrase
from bot.domain.services import Environment
from bot.ports.cluster import Pod, Rollout


class Health(IntEnum):
    """How a pod is, the worst first. SHAKEN: ready now, but a container of it died badly a short while ago."""

    BROKEN = 0
    PENDING = 1
    UNREADY = 2
    STARTING = 3
    SHAKEN = 4
    LEAVING = 5
    READY = 6
    ENDED = 7


@dataclass(frozen=True)
class Killed:
    """A container that was killed for its memory. ``limit``: in bytes, None where none is set."""

    pod: str
    container: str
    at: datetime | None
    limit: float | None


@dataclass(frozen=True)
class Cohort:
    """Pods that are alike: equally well, for the same reason, of the same version.

    ``names``: the one that ``details`` speak of first. ``died``: the last lines of that one are worth reading."""

    health: Health
    names: tuple[str, ...]
    restarts: int
    nodes: tuple[str, ...] = ()
    trouble: Phrase | None = None
    details: tuple[Phrase, ...] = ()
    killed: Killed | None = None
    died: bool = False


@dataclass(frozen=True)
class Version:
    """Pods of one template. ``new``: it is the one that is asked for now; None where that could not be read."""

    new: bool | None
    images: tuple[str, ...]
    ready: int
    total: int


@dataclass(frozen=True)
class Diagnosis:
    """``cohorts``: every pod is in one, the worst first. ``versions``: while there are several. ``around``: what holds
    the workload from outside. ``unread``: what could not be read, and why."""

    rollout: Rollout
    pods: tuple[Pod, ...]
    cohorts: tuple[Cohort, ...]
    versions: tuple[Version, ...] = ()
    around: tuple[Phrase, ...] = ()
    unread: tuple[Phrase, ...] = ()


class Diagnoses(Protocol):
    """UserError: no such workload, or RBAC forbids (says what). TemporaryError: the API server is out of reach."""

    async def diagnosis(self, environment: Environment) -> Diagnosis: ...
