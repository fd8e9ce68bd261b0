"""SLO arithmetic: what was promised, what is left. Missing data is unknown, never healthy (promise 14).

Source of the terms and factors: Google SRE Workbook, "Alerting on SLOs".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

BURN_WINDOWS = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=3))
"""Windows whose burn rate is shown: the short and long arms of the usual alerts."""


@dataclass(frozen=True)
class Slo:
    """One promise. ``objective`` is a share (0.999), ``total``/``bad`` PromQL with ``$window`` for the time range.

    ``quantile`` is PromQL for the measured percentile in seconds, empty where there is none.
    """

    service: str
    name: str
    kind: str
    objective: float
    window: timedelta
    total: str
    bad: str
    quantile: str = ""
    threshold: float | None = None
    min_requests: int = 0

    def queries(self, window: timedelta) -> tuple[str, str]:
        """PromQL for all events and for the bad ones over *window*."""
        return over(self.total, window), over(self.bad, window)


@dataclass(frozen=True)
class Counts:
    """Events over one window; None where nobody knows."""

    total: float | None
    bad: float | None

    @property
    def ratio(self) -> float | None:
        """Share of bad events, None when unknown: no total, zero total, no count of bad ones, or no finite number."""
        if self.total is None or self.bad is None or not (math.isfinite(self.bad) and 0 < self.total < math.inf):
            return None
        return min(1.0, max(0.0, self.bad / self.total))


@dataclass(frozen=True)
class Standing:
    """Where an SLO stands, from the counts of its whole window and of the burn windows."""

    slo: Slo
    whole: Counts
    recent: Mapping[timedelta, Counts]
    quantile: float | None = None

    @property
    def sli(self) -> float | None:
        """Share of good events over the window."""
        ratio = self.whole.ratio
        return None if ratio is None else 1 - ratio

    @property
    def left(self) -> float | None:
        """Share of the error budget that is left: 1 untouched, 0 spent, negative overspent."""
        ratio, allowed = self.whole.ratio, 1 - self.slo.objective
        if ratio is None:
            return None
        if allowed <= 0:
            return 1.0 if ratio == 0 else -1.0
        return 1 - ratio / allowed

    @property
    def minutes_left(self) -> float | None:
        """The rest of the budget as minutes of total failure at the window's average traffic."""
        left = self.left
        return None if left is None else left * (1 - self.slo.objective) * self.slo.window.total_seconds() / 60

    @property
    def failures_left(self) -> float | None:
        """How many more requests may fail, at the window's traffic."""
        left = self.left
        return None if left is None or self.whole.total is None else left * (1 - self.slo.objective) * self.whole.total

    def burn(self, window: timedelta) -> float | None:
        """How many times faster than allowed the budget is spent over *window*; 1.0 spends it exactly."""
        counts = self.recent.get(window)
        ratio, allowed = counts.ratio if counts else None, 1 - self.slo.objective
        if ratio is None:
            return None
        return ratio / allowed if allowed > 0 else (0.0 if ratio == 0 else float("inf"))

    def exhausted_in(self, window: timedelta = BURN_WINDOWS[1]) -> timedelta | None:
        """When the budget ends at the burn of *window*; None when unknown or not burning faster than allowed."""
        left, burn = self.left, self.burn(window)
        if left is None or burn is None or burn <= 1:
            return None
        return max(timedelta(0), self.slo.window * (left / burn)) if left > 0 else timedelta(0)


def over(promql: str, window: timedelta) -> str:
    """*promql* with ``$window`` written out in seconds."""
    return promql.replace("$window", f"{int(window.total_seconds())}s")


def latency_queries(bucket: str, threshold: float) -> tuple[str, str, str]:
    """Total, bad and p99 PromQL for a histogram's *bucket* selector; bad took longer than *threshold* seconds.

    Without a bucket of that bound every event counts as bad: an empty answer would read as none (promise 14).
    """
    everything, fast = _with_le(bucket, '="+Inf"'), _with_le(bucket, f'=~"{_bound(threshold)}"')
    total = f"sum(increase({everything}[$window]))"
    bad = f"({total} - (sum(increase({fast}[$window])) or vector(0)))"
    return total, bad, f"histogram_quantile(0.99, sum by (le) (rate({bucket}[$window])))"


def _bound(threshold: float) -> str:
    """Matches the label ``le``, which is "1" from some clients and "1.0" from others."""
    text = f"{threshold:g}".replace(".", "[.]")
    return text if "." in text else f"{text}([.]0)?"


def _with_le(selector: str, bound: str) -> str:
    if selector.endswith("}"):
        head = selector[:-1].rstrip().rstrip(",")
        return f"{head}{'' if head.endswith('{') else ','}le{bound}}}"
    return f"{selector}{{le{bound}}}"
