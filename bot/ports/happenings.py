"""What Kubernetes itself tells of a workload: its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.services import Environment


@dataclass(frozen=True)
class Happening:
    """One event. ``kind`` and ``name``: the object it is about. ``count`` times from ``first`` until ``at``.

    ``reason`` is the word of Kubernetes, ``text`` its sentence; ``warning``: it says that something is wrong.
    """

    at: datetime
    first: datetime
    kind: str
    name: str
    reason: str
    text: str
    count: int = 1
    warning: bool = False


class Happenings(Protocol):
    """UserError: no such workload, or RBAC forbids (says which verb). TemporaryError: API server out of reach."""

    async def happenings(self, environment: Environment, since: datetime) -> tuple[Happening, ...]:
        """Events of the workload, of its revisions and pods, of autoscaler and budget, oldest first; servers keep
        them for an hour."""
        ...
