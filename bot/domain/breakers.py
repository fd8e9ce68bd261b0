"""When not to ask: something that failed a moment ago would only cost the next one its time."""

from __future__ import annotations

from datetime import datetime, timedelta

HOLD = timedelta(seconds=30)
"""How long a dependency is left alone after a failure: a storm's cards are sent in less, and people wait no longer."""
AFTER = HOLD.total_seconds() + 1
"""Seconds after which what went without an answer is worth another try."""


class Breaker:
    """One dependency. Times are given, never read.

    After a failure nobody asks for a while; then one may try, and the others only once that one succeeded.
    """

    def __init__(self, hold: timedelta = HOLD) -> None:
        self._hold = hold
        self._until: datetime | None = None

    def admits(self, now: datetime) -> bool:
        """Whether to ask now. Whoever is admitted after a failure is the one who tries."""
        if self._until is None:
            return True
        if now < self._until:
            return False
        self._until = now + self._hold
        return True

    def succeeded(self) -> None:
        """It answers again."""
        self._until = None

    def failed(self, now: datetime, delay: float | None = None) -> None:
        """It did not answer, or not in time. *delay*: seconds it asked for, if it did."""
        self._until = now + max(self._hold, timedelta(seconds=delay or 0))
