"""What is to happen later, and who is on call out of turn: rows that survive a restart."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bot.domain.oncall import Shift


class Timer(NamedTuple):
    """Something of one *kind* (a schedule's name) is due at *at* for *ident*."""

    kind: str
    ident: str
    at: datetime


class Timetable(Protocol):
    """Times are given, never read."""

    def set_timer(self, kind: str, ident: str, at: datetime) -> None:
        """One timer for each kind and ident: the last one set counts."""
        ...

    def drop_timer(self, kind: str, ident: str) -> None: ...
    def timer(self, kind: str, ident: str) -> datetime | None: ...
    def timers(self, kind: str) -> tuple[Timer, ...]:
        """All of one kind, the next due first."""
        ...

    def ripe_timers(self, now: datetime, limit: int) -> tuple[Timer, ...]:
        """Those that are due, the longest waiting first."""
        ...

    def put_mark(self, name: str, value: object) -> None:
        """Remember the latest *value* (a stored type, text, a number, a time) under *name*."""
        ...

    def mark(self, name: str) -> Any:  # noqa: ANN401 - the caller knows what it put
        """What was put last, or None."""
        ...

    def add_override(self, shift: Shift) -> None:
        """*shift.person* takes over; of several that cover a time the one that started last counts."""
        ...

    def overrides(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        """Those that touch the time from *start* to *end*."""
        ...
