"""Pacing: how soon the next call to one destination may go."""

from __future__ import annotations

from datetime import datetime, timedelta


class Bucket:
    """A token bucket: *burst* calls at once, then one per *interval* seconds; and holds imposed by the other side."""

    def __init__(self, interval: float, burst: int, now: datetime) -> None:
        self._interval, self._burst = interval, max(1, burst)
        self._tokens, self._at = float(self._burst), now
        self._held_until = now

    def delay(self, now: datetime) -> float:
        """Seconds until the next call may go; 0 means now."""
        self._refill(now)
        wait = 0.0 if self._tokens >= 1 else (1 - self._tokens) * self._interval
        return max(wait, (self._held_until - now).total_seconds(), 0.0)

    def take(self, now: datetime) -> None:
        """Spend one call."""
        self._refill(now)
        self._tokens -= 1

    def give_back(self) -> None:
        """The last call was not made after all."""
        self._tokens = min(float(self._burst), self._tokens + 1)

    def hold(self, now: datetime, seconds: float) -> None:
        """Let nothing through for *seconds*, however many tokens there are."""
        self._held_until = max(self._held_until, now + timedelta(seconds=seconds))

    def _refill(self, now: datetime) -> None:
        if self._interval > 0:
            gained = (now - self._at).total_seconds() / self._interval
            self._tokens = min(float(self._burst), self._tokens + max(0.0, gained))
        else:
            self._tokens = float(self._burst)
        self._at = now
