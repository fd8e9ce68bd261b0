"""Times of the day in a zone: when something that comes round each day was due last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo


def midnight(at: datetime) -> datetime:
    """The beginning of *at*'s day, in its own zone."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def moment(day: date, at: time, zone: str) -> datetime:
    """That time of *day* in *zone*, in UTC; one that a clock change leaves out comes as late as the change is long."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Daily:
    """Each day *at* that time in *zone*."""

    at: time
    zone: str = "UTC"

    def last(self, now: datetime) -> datetime:
        """The latest such moment that is not after *now*, in UTC."""
        day = now.astimezone(ZoneInfo(self.zone)).date()
        today = self._on(day)
        return today if today <= now else self._on(day - timedelta(days=1))

    def _on(self, day: date) -> datetime:
        return moment(day, self.at, self.zone)


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Monthly:
    """Once a month: the ``first`` or else the last *weekday* (Monday is 0) of it, *at* that time in *zone*."""

    first: bool
    weekday: int
    at: time
    zone: str = "UTC"

    @classmethod
    def written(cls, text: str, zone: str) -> Monthly:
        """*text* as configured: "first Mon 10:00". The settings have checked how it is written."""
        which, day, at = text.split()
        return cls(which == "first", DAYS.index(day), time.fromisoformat(at), zone)

    def last(self, now: datetime) -> datetime:
        """The latest such moment that is not after *now*, in UTC."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        months = (today.year * 12 + today.month - 1 - back for back in count())
        return next(at for month in months if (at := self._in(*divmod(month, 12))) <= now)

    def later(self, now: datetime) -> datetime:
        """The same time of the next day after *now*'s, in UTC."""
        return self._on(now.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=1))

    def _in(self, year: int, month: int) -> datetime:
        begins = date(year, month + 1, 1)
        if self.first:
            return self._on(begins + timedelta(days=(self.weekday - begins.weekday()) % 7))
        ends = date(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)
        return self._on(ends - timedelta(days=(ends.weekday() - self.weekday) % 7))

    def _on(self, day: date) -> datetime:
        return moment(day, self.at, self.zone)
