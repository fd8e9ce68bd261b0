"""Promises without a budget: nothing may ever wait too long. One late item breaks them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from bot.domain.slo import Gap, Slo, Standing


@dataclass(frozen=True)
class Invariant:
    """A promise without a budget: nothing may ever wait longer than the threshold.

    ``age`` of the oldest waiting item and the ``peak`` of the window, in seconds; ``missed``: deadlines in the window.
    """

    slo: Slo
    age: float | None
    missed: float | None = None
    peak: float | None = None
    why: Gap | None = None

    @property
    def kept(self) -> bool | None:
        """False once anything was late in the window; True only when age, peak and misses are known to be well."""
        limit = self.slo.threshold or 0.0
        if any(_finite(value) and value > limit for value in (self.age, self.peak)):
            return False
        if _finite(self.missed) and self.missed > 0:
            return False
        wanted = (self.age, self.peak, *((self.missed,) if self.slo.missed else ()))
        return True if all(map(_finite, wanted)) and self.why is None else None

    @property
    def late(self) -> bool:
        """Whether something waits too long now."""
        return _finite(self.age) and self.age > (self.slo.threshold or 0.0)

    @property
    def left(self) -> float | None:
        """1 kept, 0 broken, None unknown: there is no budget in between."""
        return None if self.kept is None else float(self.kept)

    @property
    def healthy(self) -> bool:
        return self.kept is True


Budget: TypeAlias = Standing | Invariant
"""Where any SLO stands."""


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
