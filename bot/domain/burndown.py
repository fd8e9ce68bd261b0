"""A budget over time: what was left when, the worst hour, and the stretches that burned it. Unknown steps stay gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from bot.domain.messages import Points
from bot.domain.slo import Counts, Gap, Slo, Standing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONGEST_IN_HOURS = timedelta(days=92)
"""2,208 points: beyond it days are fine enough, and Prometheus refuses more than 11,000."""
TELLING = 0.005
"""A stretch that burned less than this share of the budget explains nothing."""


@dataclass(frozen=True)
class Bin:
    """The events of the step that ends at ``at``."""

    at: datetime
    counts: Counts

    @property
    def known(self) -> bool:
        """Whether it is known what happened; a step without events is."""
        return self.counts.ratio is not None or self.counts.gap is Gap.QUIET

    @property
    def total(self) -> float:
        """Events, as far as known. Where only shares are recorded every step weighs the same."""
        return 1.0 if self.counts.share is not None and self.known else (self.counts.total or 0.0) * self.known

    @property
    def bad(self) -> float:
        """Bad events, as far as known."""
        return self.total * (self.counts.ratio or 0.0)


@dataclass(frozen=True)
class Stretch:
    """Steps on end that burned faster than allowed. ``spent`` is a share of the whole budget."""

    start: datetime
    end: datetime
    spent: float

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Past:
    """An SLO's window in steps, in time's order. ``budget``: bad events allowed in the whole window, when known."""

    slo: Slo
    step: timedelta
    bins: tuple[Bin, ...]
    budget: float | None = None

    def on(self, standing: Standing) -> Past:
        """The same, measured on the budget of *standing*, whose figures people see beside it."""
        total = None if self.slo.recording else standing.whole.total
        return replace(self, budget=None if total is None else self.slo.allowed * total)

    def after(self, since: datetime) -> Past:
        """The steps that end after then, measured on the budget of the whole."""
        return replace(self, bins=tuple(each for each in self.bins if each.at > since), budget=self.allowed)

    @cached_property
    def allowed(self) -> float:
        """Bad events the whole window may have; at its average traffic where parts of it are unknown."""
        if self.budget is not None:
            return self.budget
        return self.slo.allowed * math.fsum(each.total for each in self.bins)

    @property
    def since(self) -> datetime | None:
        """Where the data begins; None without any."""
        return next((each.at - self.step for each in self.bins if each.known), None)

    @property
    def unseen(self) -> timedelta:
        """How much of the time after its beginning is unknown."""
        begun = next((at for at, each in enumerate(self.bins) if each.known), len(self.bins))
        return self.step * sum(not each.known for each in self.bins[begun:])

    def left(self) -> Points:
        """Share of the budget left after each step, in per cent. A gap wherever a step is unknown, or no budget."""
        spent, points = 0.0, []
        for each in self.bins:
            spent += each.bad
            share = 100 * (1 - spent / self.allowed) if each.known and self.allowed > 0 else math.nan
            points.append((each.at, share))
        return tuple(points)

    def even(self) -> Points:
        """What would be left if the budget were burned evenly, in per cent."""
        count = len(self.bins)
        return tuple((each.at, 100 * (1 - (at + 1) / count)) for at, each in enumerate(self.bins))

    def burns(self) -> Points:
        """The burn rate of each step; a gap where unknown, zero without events."""
        return tuple((each.at, self._burn(each)) for each in self.bins)

    def worst(self) -> Stretch | None:
        """The step that burned most of the budget; None when none did."""
        found = max(self.bins, key=lambda each: each.bad, default=None)
        return self.stretch((found,)) if found is not None and found.bad > 0 and self.allowed > 0 else None

    def stretches(self, least: float = TELLING) -> tuple[Stretch, ...]:
        """Where it burned faster than allowed and took at least a share *least* of the budget, the costliest first."""
        if self.allowed <= 0:
            return ()
        found = (self.stretch(run) for run in self._runs())
        return tuple(sorted((s for s in found if s.spent >= least), key=lambda s: s.spent, reverse=True))

    def spent(self) -> float | None:
        """The share of the budget that these steps burned together."""
        return math.fsum(each.bad for each in self.bins) / self.allowed if self.allowed > 0 and self.since else None

    def burst(self) -> Stretch | None:
        """From the first step that burned faster than allowed to the last; None without any."""
        burning = [at for at, (_, burn) in enumerate(self.burns()) if burn > 1]
        return self.stretch(self.bins[burning[0] : burning[-1] + 1]) if burning and self.allowed > 0 else None

    def stretch(self, run: tuple[Bin, ...]) -> Stretch:
        """Steps on end, at least one, as one stretch. There must be a budget."""
        return Stretch(run[0].at - self.step, run[-1].at, math.fsum(each.bad for each in run) / self.allowed)

    def _burn(self, each: Bin) -> float:
        return self.slo.burn(each.counts.ratio or 0.0) if each.known else math.nan

    def _runs(self) -> Iterator[tuple[Bin, ...]]:
        run: list[Bin] = []
        for each in self.bins:
            if self._burn(each) > 1:
                run.append(each)
            elif run:
                yield tuple(run)
                run = []
        if run:
            yield tuple(run)


def step_of(window: timedelta) -> timedelta:
    """How finely a window is looked at: by hours, a short one in about twenty steps, a very long one by days."""
    if window > LONGEST_IN_HOURS:
        return DAY
    if window >= DAY:
        return HOUR
    return max(timedelta(minutes=1), timedelta(minutes=window // timedelta(minutes=1) // 20))
