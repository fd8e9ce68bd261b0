"""The primary rate limit: 5000 requests an hour (docs.github.com, rate limits for the REST API)."""

from datetime import datetime
from typing import Final

from bot.simulator.github.errors import Json

LIMIT: Final = 5000
WINDOW: Final = 3600
"""Seconds."""


class Limit:
    def __init__(self) -> None:
        self.used = 0
        self._reset = 0

    def count(self, now: datetime, *, blocked: bool) -> bool:
        """Count one request; False when none is left, or while *blocked* by a fault."""
        self._turn(now)
        if blocked or self.used >= LIMIT:
            return False
        self.used += 1
        return True

    def give_back(self) -> None:
        """A 304 does not count."""
        self.used -= 1

    def headers(self, now: datetime, *, blocked: bool) -> dict[str, str]:
        self._turn(now)
        return {
            "x-ratelimit-limit": str(LIMIT),
            "x-ratelimit-remaining": str(0 if blocked else LIMIT - self.used),
            "x-ratelimit-reset": str(self._reset),
            "x-ratelimit-used": str(LIMIT if blocked else self.used),
            "x-ratelimit-resource": "core",
        }

    def body(self, now: datetime) -> Json:
        self._turn(now)
        core = {"limit": LIMIT, "used": self.used, "remaining": LIMIT - self.used, "reset": self._reset}
        return {"resources": {"core": core}, "rate": core}

    def _turn(self, now: datetime) -> None:
        if now.timestamp() >= self._reset:
            self.used, self._reset = 0, int(now.timestamp()) + WINDOW
