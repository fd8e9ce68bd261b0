"""What the steps of a move work with: one leg of it, its hands, and how a step ends well."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from bot.domain.failover_course import Course
from bot.domain.phrases import Phrase, in_line
from bot.domain.slo import Slo
from bot.ports.budgets import Budgets
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.estate import Estate
from bot.ports.flows import Did, Say
from bot.ports.gitops import GitOps
from bot.ports.probe import Examine
from bot.ports.scaling import Scaling
from bot.ports.store import Store

PATIENCE = timedelta(minutes=10)
"""How long a server, pods or machines may take with nothing moving before a person is asked."""
LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Tools:
    """None: not configured. ``chats``: where a freeze is told. ``regions``: the label of metrics, by cluster."""

    store: Store
    clock: Clock
    cluster: Cluster
    scaling: Scaling
    gitops: GitOps | None
    examine: Examine
    slos: tuple[Slo, ...] = ()
    budgets: Budgets | None = None
    chats: tuple[str, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Leg:
    """One way of one operation. ``values``: what the steps so far left in the journal, by their bare names."""

    course: Course
    operation: str
    estate: Estate
    prefix: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def value(self, step: str) -> dict[str, Any]:
        """The figures that *step* left; empty where it was skipped, or has none."""
        found = self.values.get(step)
        read: dict[str, Any] = json.loads(found) if found else {}
        return read


StepOf: TypeAlias = Callable[[Leg, Say], Awaitable[Phrase | Did]]


def did(said: Phrase, **figures: object) -> Did:
    """*figures* are journaled as JSON: times as ISO 8601, lengths in seconds."""
    return Did(said, json.dumps(figures, default=str, sort_keys=True))


def listed(parts: Iterable[Phrase]) -> Phrase:
    """One after the other, as they are."""
    return in_line(parts, "; ")
