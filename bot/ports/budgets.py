"""Budgets: where SLOs stand, answered fast and never better than known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.burndown import Past
from bot.domain.invariants import Budget
from bot.domain.messages import Points
from bot.domain.slo import Slo, Standing


class Budgets(Protocol):
    """Nothing here raises because a source is away: what it could not tell is a gap in the answer."""

    async def standings(self, slos: Sequence[Slo]) -> tuple[Budget, ...]:
        """Where each of *slos* stands, in their order. What did not come in time is a gap, and there next time."""
        ...

    async def apart(self, slo: Slo, label: str) -> Mapping[str, Standing]:
        """The same for each value of *label*; empty where the answers do not carry it."""
        ...

    async def past(self, slo: Slo) -> Past:
        """The whole window in steps, up to now."""
        ...

    async def zoomed(self, past: Past, start: datetime, end: datetime, step: timedelta) -> Past:
        """The part between *start* and *end* in finer steps, measured on the budget of the whole."""
        ...

    async def waits(self, slo: Slo) -> Points | None:
        """For freshness: the longest wait of each step of the window, in seconds; a gap where unknown.

        None: it was not told in time, and may be there for whoever asks again.
        """
        ...

    async def burn(self, slo: Slo, start: datetime, end: datetime) -> float | None:
        """How many times as fast as it may the budget was spent in that time; None when that is not wholly known."""
        ...

    async def burns(self, slo: Slo, label: str, start: datetime, end: datetime) -> Mapping[str, float | None]:
        """The same for each value of *label*; empty where the answers do not carry it."""
        ...

    async def resets(self, slo: Slo) -> float | None:
        """How often its counters were reset in the window; None when that is not known."""
        ...
