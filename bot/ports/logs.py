"""Logs of workloads: lines, and how many of them are errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.services import Environment


@dataclass(frozen=True)
class Line:
    """``source`` is the pod, with its container where it has several. ``text`` is redacted and has no line end."""

    at: datetime
    source: str
    text: str


class Logs(Protocol):
    """UserError: nothing there to read, or not allowed. TemporaryError: no answer in time."""

    async def lines(
        self, environment: Environment, since: datetime, until: datetime, grep: str = "", limit: int = 1000
    ) -> tuple[Line, ...]:
        """The last *limit* lines in which *grep* (plain text, any case) occurs, oldest first."""
        ...

    async def errors(self, environment: Environment, since: datetime, until: datetime) -> int | None:
        """How many lines of that time are errors; None when that is not known."""
        ...

    async def check(self) -> str: ...
