"""The roster: whose turn it is, from memory, so that a transaction may ask."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.oncall import Shift


class Roster(Protocol):
    """A rotation or a calendar, without overrides: those stand in the store."""

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        """Known turns that touch the time from *start* to *end*, in their order; empty when nothing is known."""
        ...

    async def refresh(self) -> None:
        """Read the calendar again. TemporaryError: it can't be read; what was known before still counts."""
        ...

    async def check(self) -> str: ...
