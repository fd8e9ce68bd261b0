"""On call: whose turn it is, by rotation or calendar, with overrides; and when a person is not to be disturbed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.codec import stored
from bot.domain.hours import moment

WEEK = timedelta(weeks=1)
FIRST_MONDAY = date(1970, 1, 5)
"""Turns are counted from here, so that every process counts alike and a restart changes nobody's turn."""


@dataclass(frozen=True)
class Shift:
    """One person's turn; *ends* is not part of it. ``by``: who took it over, for an override."""

    person: str
    starts: datetime
    ends: datetime
    by: str = ""

    def covers(self, now: datetime) -> bool:
        return self.starts <= now < self.ends


@dataclass(frozen=True)
class Rotation:
    """*people* take turns, a week each, from *weekday* (Monday is 0) at *at* in *zone*."""

    people: tuple[str, ...]
    weekday: int = 0
    at: time = time(10)
    zone: str = "UTC"

    def shift(self, now: datetime) -> Shift | None:
        """The turn that covers *now*, None without people. A week with a clock change is 167 or 169 hours long."""
        if not self.people:
            return None
        local = now.astimezone(ZoneInfo(self.zone))
        week = (local.date() - FIRST_MONDAY).days // 7
        if self._handover(week) > now:
            week -= 1
        return Shift(self.people[week % len(self.people)], self._handover(week), self._handover(week + 1))

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        """Turns from the one that covers *start* to the last that begins before *end*."""
        found: list[Shift] = []
        at = start
        while at < end and (shift := self.shift(at)):
            found.append(shift)
            at = shift.ends
        return tuple(found)

    def _handover(self, week: int) -> datetime:
        day = FIRST_MONDAY + timedelta(weeks=week, days=self.weekday)
        return moment(day, self.at, self.zone)


def on_call(shifts: Iterable[Shift], overrides: Iterable[Shift], now: datetime) -> tuple[Shift, ...]:
    """Who is on call *now*: the override made last, else everyone whose turn it is."""
    taken = [override for override in overrides if override.covers(now)]
    if taken:
        return (max(taken, key=lambda override: override.starts),)
    return tuple(shift for shift in shifts if shift.covers(now))


@dataclass(frozen=True)
class Ladder:
    """What happens to a page that nobody takes: after each *wait* the next of *levels* is told, ROUNDS times over."""

    wait: timedelta = timedelta(minutes=5)
    levels: tuple[tuple[str, ...], ...] = ()
    ack_lasts: timedelta = timedelta(hours=1)


ROUNDS = 3
"""Ours: after as many rounds without an answer more of the same wakes nobody; it is said loudly once."""


@dataclass(frozen=True)
class Quiet:
    """Hours of the day in which only critical news disturbs a person; they may pass midnight."""

    begins: time
    ends: time
    zone: str = "UTC"

    def until(self, now: datetime) -> datetime | None:
        """When the quiet that covers *now* is over, None when there is none."""
        zone = ZoneInfo(self.zone)
        local = now.astimezone(zone)
        inside = (
            self.begins <= local.time() < self.ends
            if self.begins < self.ends
            else local.time() >= self.begins or local.time() < self.ends
        )
        if not inside:
            return None
        day = local.date() if local.time() < self.ends else local.date() + timedelta(days=1)
        ends = datetime.combine(day, self.ends, zone).replace(fold=local.fold)  # in the hour that comes twice
        return ends.astimezone(ZoneInfo("UTC"))


stored(Shift)
