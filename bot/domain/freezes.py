"""Freezes: times in which nothing is promoted, by command or by the calendar. They never hold up a rollback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.codec import stored

EVERYTHING = "all"
"""Stands for every service."""
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Freeze:
    """``service`` is frozen (EVERYTHING: each one) until ``until``. ``by`` is empty for a configured window.

    ``since``: when it was set; the two together tell one freeze from the next of the same service.
    """

    service: str
    until: datetime
    why: str
    by: str
    since: datetime | None = None

    def covers(self, service: str, now: datetime) -> bool:
        """Whether *service* is frozen by this *now*; its end is not part of it."""
        return self.service in {EVERYTHING, service} and now < self.until


@dataclass(frozen=True)
class Weekly:
    """From one day and time of the week to another, in *zone*; Monday is 0. Never the same twice."""

    day: int
    begins: time
    last: int
    ends: time
    zone: str

    def end(self, now: datetime) -> datetime | None:
        """When the one that covers *now* is over, None outside of it."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        monday = today - timedelta(days=today.weekday())
        for begins in (monday, monday - WEEK):
            starts, ends = self._turn(begins)
            if starts <= now < ends:
                return ends
        return None

    def _turn(self, monday: date) -> tuple[datetime, datetime]:
        wraps = (self.last, self.ends) <= (self.day, self.begins)
        last = monday + timedelta(days=self.last) + (WEEK if wraps else timedelta())
        return (
            min(_moments(monday + timedelta(days=self.day), self.begins, self.zone)),
            max(_moments(last, self.ends, self.zone)),
        )


@dataclass(frozen=True)
class Once:
    """From one moment to another."""

    begins: datetime
    ends: datetime

    @property
    def empty(self) -> bool:
        return self.ends <= self.begins

    def end(self, now: datetime) -> datetime | None:
        """When it is over, while it covers *now*."""
        return self.ends if self.begins <= now < self.ends else None


@dataclass(frozen=True)
class Window:
    """A configured freeze; no ``services`` means every one."""

    when: Weekly | Once
    why: str
    services: frozenset[str] = frozenset()

    def freeze(self, service: str, now: datetime) -> Freeze | None:
        """The freeze that this makes of *service* *now*."""
        ends = self.when.end(now)
        if ends is None or (self.services and service not in self.services):
            return None
        return Freeze(service if self.services else EVERYTHING, ends, self.why, by="")


def frozen(service: str, now: datetime, kept: Iterable[Freeze], windows: Iterable[Window]) -> Freeze | None:
    """What freezes *service* *now*, of those that people set (*kept*) and the calendar's; the one that lasts longest.

    A rollback does not ask: nothing here holds it up.
    """
    holding = [freeze for freeze in kept if freeze.covers(service, now)]
    holding += [freeze for window in windows if (freeze := window.freeze(service, now))]
    return max(holding, key=lambda freeze: freeze.until, default=None)


def _moments(day: date, at: time, zone: str) -> tuple[datetime, datetime]:
    """Two where clocks are changed: an hour that comes twice, or never. In doubt it is frozen."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


stored(Freeze)
