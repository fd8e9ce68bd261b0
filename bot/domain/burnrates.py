"""Multi-window, multi-burn-rate alerting: over which times the burn is watched, and from which burn on it is told.

Source of shares and windows: Google SRE Workbook, "Alerting on SLOs", recommended parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MONTH = timedelta(days=30)
"""The SLO window that the workbook's parameters are for."""
PARAMETERS = (
    ("critical", 0.02, timedelta(hours=1)),
    ("critical", 0.05, timedelta(hours=6)),
    ("warning", 0.10, timedelta(days=1)),
    ("warning", 0.10, timedelta(days=3)),
)
"""Severity, share of the whole budget, long window: burns of 14.4, 6, 3 and 1 over 30 days."""
SHORT = 12
"""The short window, which ends an alert soon after the errors end, is this part of the long one."""
SAMPLES = 4
"""A window holds at least so many scrapes: two are needed to count at all, and one may fail."""
SCRAPE = timedelta(seconds=30)
"""The longest scrape interval that the shipped rules allow (deploy/monitoring)."""
LEAST = 0.9
"""No burn below this is told: 1 just spends the budget, 0.93 is 1 of 30 days in a window of 28."""
STEPS = tuple(
    timedelta(seconds=seconds * count)
    for seconds, counts in (
        (1, (10, 15, 20, 30, 45)),
        (60, (1, 2, 3, 5, 10, 15, 20, 30, 45)),
        (3_600, (1, 1.5, 2, 3, 4, 6, 8, 12, 18)),
        (86_400, (1, 1.5, 2, 3, 4, 6, 9, 12, 18, 24, 36)),
    )
    for count in counts
)
"""Lengths that a person reads at a glance; long windows are one of them."""


@dataclass(frozen=True)
class Arm:
    """One reason to alert: both windows burn at least ``burn`` times faster than allowed.

    The long one says that it matters, the short one that it still goes on.
    """

    severity: str
    burn: float
    long: timedelta
    short: timedelta

    def share(self, window: timedelta) -> float:
        """Which part of the budget of *window* is gone once it has burnt like this for the long window."""
        return self.burn * (self.long / window)


def arms(window: timedelta, scrape: timedelta = SCRAPE) -> tuple[Arm, ...]:
    """The four arms for an SLO over *window*, of samples every *scrape*: pages first, the fastest burn first.

    For SLO windows other than 30 days the long windows are scaled, down to a length that reads well (at most a tenth
    longer than the exact one) and still holds samples; the burn follows, so that the same share of the budget is meant.
    """
    shortest = scrape * SAMPLES
    return tuple(_arm(*parameters, window, shortest) for parameters in PARAMETERS)


def _arm(severity: str, share: float, base: timedelta, window: timedelta, shortest: timedelta) -> Arm:
    scaled = base * (window / MONTH)
    room = tuple(step for step in STEPS if step >= 2 * shortest) or (2 * shortest,)
    long = max((step for step in room if step <= 1.1 * scaled), default=room[0])
    short = max(timedelta(seconds=round((long / SHORT).total_seconds())), shortest)
    return Arm(severity, round(max(share * (window / long), LEAST), 6), long, short)
