"""How many pods a workload asks for, and what else sets that number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.ports.cluster import Workload


@dataclass(frozen=True)
class Autoscaler:
    """What moves the number of pods by itself, within ``least`` and ``most``."""

    name: str
    least: int
    most: int


class Scaling(Protocol):
    """UserError: no such workload, not of a kind that can do this, or RBAC forbids (says which verb).

    TemporaryError: the API server is out of reach.
    """

    async def autoscaler(self, workload: Workload) -> Autoscaler | None:
        """The one that is set on *workload*, or None where nothing moves its number."""
        ...

    async def bound(self, workload: Workload, scaler: Autoscaler) -> None:
        """Give the one of this name its ``least`` and ``most``; what has them already is left alone.

        DriftError: there is none of this name by now, or it changes too fast to be patched.
        """
        ...

    async def scale(self, workload: Workload, replicas: int, operation: str) -> None:
        """Ask for so many pods. The same *operation* does it once: a second call changes nothing, whatever the number.

        DriftError: the workload changes too fast to be patched.
        """
        ...

    async def allowed(self, workload: Workload) -> str:
        """Why pult may not set that number, or an empty string; changes nothing."""
        ...
