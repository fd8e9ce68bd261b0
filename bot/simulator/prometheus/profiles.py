"""How each service lives when nothing is wrong: traffic, failures, latency."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.simulator.prometheus.wave import DAY, Ripple, Wave

PEAK: Final = 14 * 3600.0
"""Seconds after midnight UTC: the busiest moment of a day."""
NOT_FOUND: Final = 0.01
"""Share of requests answered 404: the user's error, not ours."""
BOUNDS: Final = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.3", "0.5", "1", "2.5", "5", "10", "+Inf")
"""Upper bounds of the latency buckets in seconds, as Prometheus client libraries for Go write them."""
_STEEPNESS: Final = 3.0
"""Shape of the log-logistic latency distribution; at 3 the 99th percentile is 4.6 medians."""


@dataclass(frozen=True)
class Profile:
    """*median*: of the latency, in seconds. *requests* and *failures*: a second, for the region with the traffic."""

    requests: Wave
    failures: Wave
    median: float

    @property
    def mean_latency(self) -> float:
        """Seconds; the mean of a log-logistic distribution."""
        angle = math.pi / _STEEPNESS
        return self.median * angle / math.sin(angle)

    def within(self, bound: float, slowness: float) -> float:
        """Share of requests answered in *bound* seconds when all are *slowness* times slower than normal."""
        if math.isinf(bound):
            return 1.0
        return 1 / (1 + math.pow(bound / (self.median * slowness), -_STEEPNESS))


def _profile(rate: float, failing: float, median: float, phase: float) -> Profile:
    """*failing*: the usual share of failed requests; *phase* makes services differ, in seconds."""
    day, gust = Ripple(0.45, DAY, PEAK + phase), Ripple(0.04, 1700, phase)
    unrest = (Ripple(0.3, 3 * 3600, phase), Ripple(0.15, 1100, phase), Ripple(0.3, DAY, PEAK + phase))
    return Profile(Wave(rate, (day, gust)), Wave(rate * failing, unrest), median)


PROFILES: Final[Mapping[str, Profile]] = {
    "api": _profile(120, 0.0003, 0.05, 0),
    "bots": _profile(20, 0.0004, 0.08, 900),
    "worker": _profile(30, 0.0002, 0.06, 1800),
    "web": _profile(60, 0.0003, 0.03, 2700),
}
