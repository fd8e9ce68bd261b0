"""A rate that rises and falls with the day, and its exact integral."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DAY: Final = 86400.0
"""Seconds."""


@dataclass(frozen=True)
class Ripple:
    """One sine: *amplitude* as a share of the mean, *period* in seconds, *peak* in seconds after the epoch."""

    amplitude: float
    period: float
    peak: float = 0.0

    def height(self, at: float) -> float:
        return self.amplitude * math.cos(math.tau * (at - self.peak) / self.period)

    def area(self, start: float, end: float) -> float:
        swing = self.amplitude * self.period / math.tau
        high, low = (math.sin(math.tau * (at - self.peak) / self.period) for at in (end, start))
        return swing * (high - low)


@dataclass(frozen=True)
class Wave:
    """Events a second at any instant: a mean with ripples on it. Times are Unix seconds."""

    mean: float
    ripples: Sequence[Ripple] = ()

    def rate(self, at: float) -> float:
        return self.mean * (1 + sum(ripple.height(at) for ripple in self.ripples))

    def total(self, start: float, end: float) -> float:
        """Events between two instants."""
        return self.mean * (end - start + sum(ripple.area(start, end) for ripple in self.ripples))
