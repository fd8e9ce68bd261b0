"""SLO arithmetic: what was promised, what is left. Missing data is unknown, never healthy (promise 14).

Source of the terms and factors: Google SRE Workbook, "Alerting on SLOs".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.domain.durations import write_duration, write_window

BURN_WINDOWS = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=3))
"""Windows whose burn rate is shown: the short and long arms of the usual alerts."""
LOW = 0.25
"""Below this share of the budget it is worth a warning."""
FRESHNESS = "freshness"
"""The kind without a budget: an age that must never be reached."""
_ALMOST = math.nextafter(1.0, 0.0)
"""The largest share that is not all: one bad event among any number must not round away."""


class Gap(StrEnum):
    """Why a number is not known, or (PARTIAL, SILENT, SHORT) not wholly known."""

    LATE = "late"
    """No answer, or none in time."""
    REFUSED = "refused"
    """The query itself is refused."""
    ABSENT = "absent"
    """There is no data."""
    QUIET = "quiet"
    """There were no events at all: nobody asked, so nobody knows."""
    NAN = "nan"
    """The answer is no finite number."""
    PARTIAL = "partial"
    """The answer came with warnings: something may be missing from it."""
    SILENT = "silent"
    """A region that had traffic in the window sends nothing now."""
    SHORT = "short"
    """What is stored reaches less far back than the window."""


@dataclass(frozen=True)
class Slo:
    """One promise. ``objective`` is a share (0.999), ``total``/``bad`` PromQL with ``$window`` for the time range.

    ``quantile`` is PromQL for the measured percentile in seconds, empty where there is none. ``recording``: PromQL
    for the share of bad events that rules have recorded, in place of the counts; ``$window`` is part of a name there
    ("5m", "30d"). ``regions``: the label that tells regions apart. For freshness ``bad`` is the age in seconds of the
    oldest waiting item, ``threshold`` what it may reach, ``missed`` PromQL that counts missed deadlines.
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
    recording: str = ""
    regions: str = ""
    missed: str = ""

    def queries(self, window: timedelta) -> tuple[str, str]:
        """PromQL for all events and for the bad ones over *window*."""
        return over(self.total, window), over(self.bad, window)

    @property
    def allowed(self) -> float:
        """Share of events that may be bad: the whole budget."""
        return 1 - self.objective

    def burn(self, ratio: float) -> float:
        """How many times faster than allowed a share of bad events spends the budget; 1.0 spends it exactly."""
        return ratio / self.allowed if self.allowed > 0 else (math.inf if ratio else 0.0)


@dataclass(frozen=True)
class Counts:
    """Events over one window; None where nobody knows, and ``why`` not (or why not wholly).

    ``share`` is the share of bad events where only that was recorded.
    """

    total: float | None
    bad: float | None
    share: float | None = None
    why: Gap | None = None

    @property
    def ratio(self) -> float | None:
        """Share of bad events, None when unknown: no total, zero total, no count of bad ones, or no finite number."""
        if self.share is not None:
            return min(1.0, max(0.0, self.share)) if math.isfinite(self.share) else None
        if self.total is None or self.bad is None or not (math.isfinite(self.bad) and 0 < self.total < math.inf):
            return None
        return min(1.0, max(0.0, self.bad / self.total))

    @property
    def gap(self) -> Gap | None:
        """Why this is not (wholly) known, also where nobody said; None when it is."""
        if self.why is not None or self.ratio is not None:
            return self.why
        if self.total is None or self.bad is None:
            return Gap.NAN if self.share is not None else Gap.ABSENT
        return Gap.QUIET if self.total == 0 else Gap.NAN

    def thin(self, least: int) -> bool:
        """Whether so few events say nothing about a pace: below the minimum traffic."""
        return self.total is not None and self.total < least


def together(parts: Iterable[Counts]) -> Counts:
    """Windows that follow each other, or regions side by side, as one: weighted by their traffic.

    One unknown part makes the whole unknown, since its events are. Without parts nothing is known.
    """
    counts = tuple(parts)
    totals = [each.total for each in counts if each.total is not None]
    bads = [each.bad for each in counts if each.bad is not None]
    why = next((each.gap for each in counts if each.gap not in (None, Gap.QUIET)), None)
    if not counts or len(totals) < len(counts) or len(bads) < len(counts):
        return Counts(None, None, why=why or Gap.ABSENT)
    return Counts(math.fsum(totals), math.fsum(bads), why=why)


@dataclass(frozen=True)
class Standing:
    """Where an SLO stands, from the counts of its whole window and of the burn windows.

    ``short``: what is stored reaches less far back than the window. ``regions``: the counts of the whole window by
    region, where those are told apart.
    """

    slo: Slo
    whole: Counts
    recent: Mapping[timedelta, Counts]
    quantile: float | None = None
    short: bool = False
    regions: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def sli(self) -> float | None:
        """Share of good events over the window; 1 only without any bad one."""
        ratio = self.whole.ratio
        if ratio is None:
            return None
        return min(1 - ratio, _ALMOST) if ratio > 0 else 1.0

    @property
    def left(self) -> float | None:
        """Share of the error budget that is left: 1 untouched, 0 spent, negative overspent."""
        sli, allowed = self.sli, self.slo.allowed
        if sli is None:
            return None
        if allowed <= 0:
            return 1.0 if sli == 1 else -1.0
        return 1 - (1 - sli) / allowed

    @property
    def minutes_left(self) -> float | None:
        """The rest of the budget as minutes of total failure at the window's average traffic."""
        left = self.left
        return None if left is None else left * self.slo.allowed * self.slo.window.total_seconds() / 60

    @property
    def failures_left(self) -> float | None:
        """How many more requests may fail, at the window's traffic; None also where only shares are recorded."""
        left = self.left
        return None if left is None or self.whole.total is None else left * self.slo.allowed * self.whole.total

    @property
    def gaps(self) -> frozenset[Gap]:
        """Everything that keeps this from being wholly known."""
        found = {self.whole.gap, *(counts.gap for counts in self.recent.values())}
        return frozenset(gap for gap in found if gap) | ({Gap.SHORT} if self.short else frozenset())

    @property
    def healthy(self) -> bool:
        """Known to keep the promise: budget left, all of the window seen, and every burn window known.

        A quiet recent window hides nothing, since nobody asked; a quiet whole window is unknown.
        """
        left = self.left
        return left is not None and left > 0 and not self.gaps - {Gap.QUIET}

    def burn(self, window: timedelta) -> float | None:
        """How many times faster than allowed the budget is spent over *window*; 1.0 spends it exactly."""
        counts = self.recent.get(window)
        ratio = counts.ratio if counts else None
        return None if ratio is None else self.slo.burn(ratio)

    def thin(self, window: timedelta) -> bool:
        """Whether *window* had too few requests to tell a pace (``min_requests``)."""
        counts = self.recent.get(window)
        return counts is not None and counts.thin(self.slo.min_requests)

    def exhausted_in(self) -> timedelta | None:
        """When the budget ends at the burn of the last hour; None when unknown or not burning faster than allowed."""
        left, burn = self.left, self.burn(BURN_WINDOWS[1])
        if left is None or burn is None or burn <= 1:
            return None
        return max(timedelta(0), self.slo.window * (left / burn)) if left > 0 else timedelta(0)


def over(promql: str, window: timedelta) -> str:
    """*promql* with ``$window`` written out in seconds."""
    return promql.replace("$window", f"{int(window.total_seconds())}s")


def recorded(promql: str, window: timedelta) -> str:
    """PromQL for the recorded share of bad events over *window*.

    Rules name windows as Prometheus writes durations, weeks also in days (4w, 28d). Where none was recorded for this
    one, the shares of 5 minutes are averaged over it: by time, not by traffic, as Sloth does for its whole period.
    """
    spelled = dict.fromkeys((write_duration(window), write_window(window)))
    exact = " or ".join(f"avg({promql.replace('$window', name)})" for name in spelled)
    return exact if window == BURN_WINDOWS[0] else f"{exact} or {averaged(promql, window)}"


def averaged(promql: str, window: timedelta) -> str:
    """PromQL for the average of the shares that were recorded for each 5 minutes of *window*."""
    short = promql.replace("$window", write_duration(BURN_WINDOWS[0]))
    return f"avg(avg_over_time({short}[{int(window.total_seconds())}s]))"


def latency_queries(bucket: str, threshold: float) -> tuple[str, str, str]:
    """Total, bad and p99 PromQL for a histogram's *bucket* selector; bad took longer than *threshold* seconds.

    Without a bucket of that bound every event counts as bad: an empty answer would read as none (promise 14).
    """
    everything, fast = _with_le(bucket, '="+Inf"'), _with_le(bucket, f'=~"{_bound(threshold)}"')
    total = f"sum(increase({everything}[$window]))"
    bad = f"({total} - (sum(increase({fast}[$window])) or 0 * {total}))"
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
