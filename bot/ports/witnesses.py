"""Witnesses: independent views of a region."""

from __future__ import annotations

from typing import Protocol

from bot.domain.detection import Look
from bot.domain.failover import Sight


class Witnesses(Protocol):
    """Asks all of them at once, each with a deadline of its own; never raises."""

    async def look(self) -> Look: ...


class UptimeChecks(Protocol):
    """What somebody else's probes see from several places of the world."""

    async def sight(self, check: str) -> Sight:
        """What a strict majority of the places says. UserError: no such check. TemporaryError: no answer."""
        ...
