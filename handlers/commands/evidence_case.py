"""What a promotion is judged by: whom to ask, and of what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.domain.errors import TemporaryError, UserError
from bot.domain.freezes import Freeze
from bot.domain.phrases import Phrase, phrase
from bot.domain.policy import Policy, Rule
from bot.domain.proofs import Mark, Proof
from bot.domain.releases import Release
from bot.domain.services import Catalogue, Environment, Service
from bot.domain.slo import Slo
from bot.ports.budgets import Budgets
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.forge import Forge
from bot.ports.guard import Guard
from bot.ports.pipeline import Pipeline
from bot.ports.registry import Registry
from bot.ports.rollouts import Rollouts
from bot.ports.store import Store, Tx

T = TypeVar("T")
PATIENCE = 2.0
"""Seconds that each source has, all at once: a plan card without a row is better than none."""


@dataclass(frozen=True)
class Sources:
    """Everything that knows something of a release. None: not configured. ``frozen``: what freezes a service now."""

    store: Store
    clock: Clock
    cluster: Cluster
    guard: Guard
    policy: Policy
    services: Catalogue
    slos: tuple[Slo, ...]
    budgets: Budgets | None
    forge: Forge | None
    pipeline: Pipeline | None
    registry: Registry | None
    rollouts: Rollouts
    frozen: Callable[[Tx, str, datetime], Freeze | None]

    async def ask(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """What *work* finds in time. TemporaryError: nothing; UserError: a refusal."""
        return await self.guard.ask(name, work, PATIENCE)

    async def tried(self, name: str, work: Callable[[], Awaitable[T]]) -> T | None:
        """What *work* finds in time, None where it is not there or nobody answers."""
        try:
            return await self.ask(name, work)
        except (TemporaryError, UserError):
            return None


@dataclass(frozen=True)
class Case:
    """One release on its way to one environment. ``before``: the stop it comes from, None for the first one.

    ``running``: what is known of the version that runs there now; ``commit``: the release's, empty when not known.
    """

    service: Service
    environment: Environment
    before: Environment | None
    release: Release
    running: Release | None
    commit: str
    rule: Rule
    now: datetime


def unknown(name: str, what: Phrase, why: Phrase | None = None) -> Proof:
    """A row that nobody could fill."""
    return Proof(name, what, Mark.UNKNOWN, why or phrase("unknown"))
