"""Slack's rates as token buckets: a rate with a small burst, per method and scope."""

import math
from collections.abc import Callable
from datetime import datetime


class Rates:
    """*scale* stretches the time a token takes: 1 is Slack's own rate, 0 switches limits off."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._full_at: dict[str, float] = {}
        self.scale = 1.0

    def take(self, key: str, limit: tuple[float, int]) -> int:
        """Take one token of *key*; 0 when it was there, else whole seconds until it will be."""
        rate, burst = limit
        step = self.scale / rate
        now = self._now().timestamp()
        full_at = max(self._full_at.get(key, now), now)
        wait = full_at + step - now - burst * step
        if step and wait > 1e-6:
            return max(1, math.ceil(wait))
        self._full_at[key] = full_at + step
        return 0
