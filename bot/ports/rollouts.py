"""A workload's own history, and the hand on a rollout that goes step by step (Argo Rollouts)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.ports.cluster import Workload


@dataclass(frozen=True)
class Revision:
    """A template that a workload had. ``revision`` is its number, which grows; ``images`` are in the containers' order.

    ``current``: it is what the workload asks for now. ``stable``: an Argo Rollout went all the way to it.
    """

    revision: str
    images: tuple[str, ...]
    created: datetime
    current: bool
    stable: bool = False


class Rollouts(Protocol):
    """UserError: no such workload, not of a kind that can do this, or RBAC forbids (says which verb).

    TemporaryError: the API server is out of reach. Each looks before it acts, so that a call that is made again after a
    crash changes nothing more.
    """

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        """What its controller still keeps, the newest first: ten by default."""
        ...

    async def undo(self, workload: Workload, revision: str, template: str) -> None:
        """Put back the template of *revision*, which then gets a new number; what has it already is left alone.

        DriftError: *template* is no longer current. UserError: the workload is paused, or the revision is gone.
        """
        ...

    async def advance(self, workload: Workload, operation: str, *, full: bool = False) -> None:
        """Let a paused rollout go on to its next pause; *full*: to the end, past every pause and analysis.

        The same *operation* moves it once: for each further pause it needs another name. UserError: not under way.
        """
        ...

    async def abort(self, workload: Workload) -> None:
        """Back to the stable version at once. The template still asks for the new one: ``undo`` puts that back too.

        UserError: no new version is under way.
        """
        ...

    async def pause(self, workload: Workload) -> None:
        """Hold a rollout where it is; a Deployment, too."""
        ...

    async def unpause(self, workload: Workload) -> None:
        """Take back what ``pause`` did. A rollout that waits at a step of its own needs ``advance``."""
        ...
