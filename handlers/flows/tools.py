"""What promotions and rollbacks work with, and what they ask of a plan's targets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.services import Catalogue
from bot.domain.slo import Slo
from bot.domain.targets import Hand, Target
from bot.ports.budgets import Budgets
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.forge import Forge
from bot.ports.gitops import GitOps
from bot.ports.logs import Logs
from bot.ports.pipeline import Pipeline
from bot.ports.probe import Examine
from bot.ports.rollouts import Rollouts
from bot.ports.store import Store

PATIENCE = timedelta(minutes=10)
"""Kubernetes' own progressDeadlineSeconds defaults to 600 s; past that a rollout won't finish by itself."""
LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Tools:
    """None: not configured. ``examine`` asks one address of a service's verification."""

    store: Store
    clock: Clock
    services: Catalogue
    slos: tuple[Slo, ...]
    cluster: Cluster
    examine: Examine
    rollouts: Rollouts | None = None
    gitops: GitOps | None = None
    forge: Forge | None = None
    pipeline: Pipeline | None = None
    budgets: Budgets | None = None
    logs: Logs | None = None


def in_git(target: Target) -> bool:
    """Whether its image stands in a file of the deployment repository."""
    return target.hand in {Hand.COMMIT, Hand.PULL}
