"""The tool that brings git to a cluster: Argo CD or Flux, whichever owns the environment's workload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.phrases import Phrase
from bot.domain.services import Environment


@dataclass(frozen=True)
class Applied:
    """What the tool says of its object, believed only for the generation and operation it has observed.

    ``revision`` is the commit it applied last (a bare sha where it is one), ``wanted`` the one it is to apply.
    ``done``: nothing is under way, and what is applied is in step with git and healthy; ``synced``: all that but for
    its health, as while a rollout goes on, or waits at a step. ``doing`` says what it is at, ``stuck`` why it will not
    get there by itself. ``automated``: it applies what git says without being asked; ``suspended``: it applies
    nothing. ``drift``: what differs in the cluster from what it applied, or None.
    """

    revision: str
    wanted: str
    done: bool
    automated: bool
    synced: bool = False
    suspended: bool = False
    doing: Phrase | None = None
    stuck: Phrase | None = None
    drift: Phrase | None = None


class GitOps(Protocol):
    """UserError: no such object, or RBAC forbids (says which verb). TemporaryError: the cluster is out of reach."""

    async def state(self, environment: Environment) -> Applied:
        """What is applied now, whoever asked for it."""
        ...

    async def ask(self, environment: Environment, revision: str, operation: str) -> None:
        """Have it look at git and apply *revision* (empty: what its branch holds).

        Asked again by the same *operation* it changes nothing while that request stands; one that failed is made anew.
        UserError: it is suspended, or busy with another sync.
        """
        ...

    async def progress(self, environment: Environment, revision: str, operation: str) -> Applied:
        """How far *operation*'s own request is; takes its next step, where the tool wants one after the other.

        ``done`` only when phase, revision, health and the time of its reconciliation agree, so that the end of an
        earlier sync is never taken for the end of this one.
        """
        ...
