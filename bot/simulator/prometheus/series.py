"""One time series, and what a range of it can tell."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bot.simulator.prometheus.values import Labels, Points

SCRAPE: Final = 1.0
"""Seconds between two samples."""
MOST_POINTS: Final = 1000
"""Samples of one series in one range; a longer range is thinned out."""


@dataclass(frozen=True)
class Series:
    """*read* gives the sample at a moment, None when there is none. *counted* is set for counters: the exact,
    unrounded count, so that rates do not jump with the window.
    """

    labels: Labels
    read: Callable[[float], float | None]
    counted: Callable[[float], float] | None = None


@dataclass(frozen=True)
class Window:
    """The range ``(start, end]`` of a series, Unix seconds."""

    series: Series
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def points(self) -> Points:
        """Scraped samples, on whole multiples of the scrape interval."""
        step = SCRAPE * max(1, math.ceil(self.seconds / SCRAPE / MOST_POINTS))
        first, last = math.floor(self.start / step) + 1, math.floor(self.end / step)
        moments = [index * step for index in range(first, last + 1)] or [self.end]
        read = ((moment, self.series.read(moment)) for moment in moments)
        return [(moment, value) for moment, value in read if value is not None]

    def growth(self) -> float | None:
        """How much a counter grew; None when it was never there. A fall of a gauge counts as a reset."""
        if self.series.counted is None:
            values = [value for _, value in self.points()]
            steps = pairwise(values)
            return sum(new - old if new >= old else new for old, new in steps) if values else None
        grown = self.series.counted(self.end) - self.series.counted(self.start)
        seen = grown or any(self.series.read(edge) is not None for edge in (self.start, self.end))
        return grown if seen else None


@dataclass(frozen=True)
class Evaluated(Window):
    """A range of what a subquery gave."""

    taken: tuple[tuple[float, float], ...] = ()

    def points(self) -> Points:
        return list(self.taken)
