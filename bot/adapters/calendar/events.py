"""From iCalendar text to turns: recurrences, exceptions, whole days and zones are unfolded. Pure, but slow: 0.1 s."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.adapters.calendar.named import Attendee, named
from bot.domain.oncall import Shift

if TYPE_CHECKING:
    from icalendar import Calendar, Event

MOST = 5_000
"""Occurrences of one calendar within the horizon. Ours: a hundred a day are no roster."""
_FOLD = re.compile(rb"\r?\n[ \t]")
_TOO_OFTEN = re.compile(
    rb"^RRULE\b[^\r\n]*\b(?:FREQ=(?:SECONDLY|MINUTELY)|BY(?:SECOND|MINUTE)=\d+,)", re.IGNORECASE | re.MULTILINE
)
"""More often than once an hour: unfolding it from an old start takes minutes, and no turn is like that."""
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What the libraries raise on text that is nearly a calendar."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Turns:
    """``strangers``: words that name nobody who is listed. ``broken``: some events have rules that can't be read."""

    shifts: tuple[Shift, ...]
    strangers: tuple[str, ...] = ()
    broken: bool = False


def read(text: bytes, zone: str, names: Iterable[str], start: datetime, end: datetime) -> Turns:
    """Turns that touch the time from *start* to *end*. Whole days and floating times are in *zone*.

    ValueError says what is wrong with the calendar as a whole, and repeats nothing of it.
    """
    found: list[Shift] = []
    strangers: dict[str, None] = {}
    listed, local = tuple(names), ZoneInfo(zone)
    events, broken = _unfolded(_calendars(text), start, end)
    for event in events:
        span = _span(event, local)
        if span is None or span[1] <= start or span[0] >= end:
            continue
        people, others = named(str(event.get("SUMMARY", "")), _attendees(event), listed)
        found.extend(Shift(person, *span) for person in people)
        strangers.update(dict.fromkeys(others))
    return Turns(tuple(_merged(found)), tuple(strangers), broken)


def _calendars(text: bytes) -> list[Calendar]:
    from icalendar import Calendar  # noqa: PLC0415 - late on purpose: 30 ms and 10 MB that few need

    if _TOO_OFTEN.search(_FOLD.sub(b"", text)):
        raise ValueError("an event repeats more than once an hour")
    try:
        found = [each for each in Calendar.from_ical(text, multiple=True) if each.name == "VCALENDAR"]
    except _FAULTS as error:
        raise ValueError(f"it is no iCalendar text ({type(error).__name__})") from None
    if not found:  # also what was cut off before its end
        raise ValueError("it holds no whole calendar")
    return found


def _unfolded(calendars: Iterable[Calendar], start: datetime, end: datetime) -> tuple[list[Event], bool]:
    """Occurrences from a day before *start* to a day after *end*: whole days have no zone yet."""
    found: list[Event] = []
    broken = False
    for calendar in calendars:
        try:
            events = _between(calendar, start, end, lenient=False)
        except _FAULTS:
            broken = True
            events = _leniently(calendar, start, end)
        found.extend(event for event in events if str(event.get("STATUS", "")).upper() != "CANCELLED")
    if len(found) > MOST:
        raise ValueError(f"it has more than {MOST} events within {(end - start).days} days")
    return found, broken


def _leniently(calendar: Calendar, start: datetime, end: datetime) -> list[Event]:
    try:
        return _between(calendar, start, end, lenient=True)
    except _FAULTS as error:
        raise ValueError(f"its events can't be unfolded ({type(error).__name__})") from None


def _between(calendar: Calendar, start: datetime, end: datetime, *, lenient: bool) -> list[Event]:
    import recurring_ical_events  # noqa: PLC0415 - late on purpose

    found: list[Event] = recurring_ical_events.of(calendar, skip_bad_series=lenient).between(start - DAY, end + DAY)
    return found


def _span(event: Event, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Begin and end in UTC; None for what has no length."""
    starts, ends = _instant(event.start, zone), _instant(event.end, zone)
    return (starts, ends) if starts < ends else None


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _attendees(event: Event) -> tuple[Attendee, ...]:
    found = event.get("ATTENDEE") or ()
    each = found if isinstance(found, list) else [found]
    asked = ((getattr(who, "params", {}), str(who)) for who in each)
    return tuple(
        Attendee(str(about.get("CN", "")), mail)
        for about, mail in asked
        if str(about.get("PARTSTAT", "")).upper() != "DECLINED"
    )


def _merged(shifts: Iterable[Shift]) -> list[Shift]:
    """Each person's turns that overlap or follow one another at once are one: no handover from Anna to Anna."""
    last: dict[str, Shift] = {}
    done: list[Shift] = []
    for shift in sorted(shifts, key=lambda each: (each.starts, each.ends)):
        before = last.get(shift.person)
        if before and shift.starts <= before.ends:
            last[shift.person] = Shift(shift.person, before.starts, max(before.ends, shift.ends))
            continue
        if before:
            done.append(before)
        last[shift.person] = shift
    return sorted((*done, *last.values()), key=lambda each: (each.starts, each.ends, each.person))
