"""Telegram's rates as sliding windows: so many messages in so many seconds."""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.simulator.telegram import limits

_GRACE: Final = 0.97
"""Part of a window that binds: a sender that keeps the rate must not fail on the jitter of the network."""


class Rates:
    """*scale* stretches the windows: 1 is Telegram's own rate, 0 switches limits off."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._sent: dict[str, deque[float]] = {}
        self.scale = 1.0

    def take(self, chat: int, *, group: bool) -> int:
        """Count one message or edit in *chat*; 0 when it may go, else `retry_after` in whole seconds."""
        now = self._now().timestamp()
        windows = {"": limits.OVERALL, f"chat {chat}": limits.PER_CHAT}
        if group:
            windows[f"group {chat}"] = limits.PER_GROUP
        wait = max(self._wait(key, *window, now) for key, window in windows.items())
        if wait > 1e-6:
            return max(1, math.ceil(wait))
        for key in windows:
            self._sent[key].append(now)
        return 0

    def _wait(self, key: str, most: int, seconds: float, now: float) -> float:
        sent = self._sent.setdefault(key, deque())
        span = seconds * self.scale * _GRACE
        while sent and sent[0] + span <= now:
            sent.popleft()
        return sent[-most] + span - now if len(sent) >= most else 0.0
