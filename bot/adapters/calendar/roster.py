"""Rosters: a rotation, which is computed, and a calendar, which is read now and then and kept in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp

from bot.adapters.calendar.events import Turns, read
from bot.adapters.calendar.sources import Address, File, Source
from bot.domain.errors import TemporaryError
from bot.domain.oncall import Rotation, Shift
from bot.ports.clock import Clock
from bot.ports.roster import Roster

log = logging.getLogger(__name__)
BEHIND, AHEAD = timedelta(weeks=1), timedelta(weeks=6)
"""How far turns are known: back for a digest, ahead for everybody's plans."""
HOUR = timedelta(hours=1)
"""How long the same text needs no unfolding again: the horizon is far."""
FRESH = timedelta(minutes=5)
"""How old what was read may be when somebody only asks how it stands."""


class RotationRoster:
    """People who take turns, by the configuration. Nothing to read, nothing that can fail."""

    def __init__(self, rotation: Rotation, clock: Clock) -> None:
        self._rotation, self._clock = rotation, clock

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        """Turns that touch the time from *start* to *end*."""
        return self._rotation.shifts(start, end)

    async def refresh(self) -> None:
        """Nothing to do."""

    async def check(self) -> str:
        """Whose turn it is."""
        now = self._clock.now()
        return f"rotation of {len(self._rotation.people)}; {_now(self.shifts(now, now + timedelta.resolution), now)}"


class CalendarRoster:
    """Turns out of a calendar, unfolded up to a horizon. What can't be read anew still counts as it was read last."""

    def __init__(self, source: Source, zone: str, names: Iterable[str], clock: Clock) -> None:
        self._source, self._zone, self._names, self._clock = source, zone, tuple(names), clock
        self._turn = asyncio.Lock()
        self._content = b""
        self._mark: Mapping[str, str] = {}
        self._turns = Turns(())
        self._unfolded: datetime | None = None
        self._tried: datetime | None = None
        self._failing: datetime | None = None
        self._trouble = ""
        self._told: set[str] = set()

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        """Known turns that touch the time from *start* to *end*; nothing is known beyond the horizon."""
        return tuple(shift for shift in self._turns.shifts if shift.starts < end and shift.ends > start)

    async def refresh(self) -> None:
        """Read the calendar again. TemporaryError says since when that fails; the horizon moves on all the same."""
        async with self._turn:
            self._tried = now = self._clock.now()
            try:
                text = await self._source.read(self._mark)
                await self._unfold(self._content if text is None else text.content, now)
            except (TemporaryError, ValueError) as error:
                await self._failed(str(error), now)
            else:
                self._mark = self._mark if text is None else text.mark
                self._failing = None

    async def check(self) -> str:
        """Who is on call by the calendar, and whom it names that nobody knows. TemporaryError: it can't be read."""
        now = self._clock.now()
        if self._tried is None or now - self._tried >= FRESH:
            await self.refresh()
        elif self._failing:
            raise TemporaryError(self._trouble)
        told = [f"{self._source.name}: {len(self.shifts(now, now + AHEAD))} turns ahead", _now(self._turns.shifts, now)]
        if self._turns.strangers:
            told.append(f"not among [[people]]: {', '.join(self._turns.strangers)}")
        if self._turns.broken:
            told.append("some events have rules that can't be read")
        return "; ".join(told)

    async def _unfold(self, content: bytes, now: datetime) -> None:
        """Off the event loop: a busy calendar takes a second. ValueError: what was known is untouched."""
        if content == self._content and self._unfolded and now - self._unfolded < HOUR:
            return
        found = await asyncio.to_thread(read, content, self._zone, self._names, now - BEHIND, now + AHEAD)
        self._content, self._turns, self._unfolded = content, found, now
        for stranger in set(found.strangers) - self._told:
            log.warning("the calendar names somebody who is not among [[people]]", extra={"named": stranger})
        self._told |= set(found.strangers)

    async def _failed(self, why: str, now: datetime) -> None:
        self._failing = self._failing or now
        kept = "nothing is known"
        if self._content:
            with suppress(ValueError):
                await self._unfold(self._content, now)
            kept = f"what was read before still counts: {_now(self._turns.shifts, now)}"
        since = f"{self._failing:%Y-%m-%d %H:%M} UTC"
        self._trouble = f"the calendar can't be read since {since}, {self._source.name}: {why}; {kept}"
        raise TemporaryError(self._trouble)


def _now(shifts: Iterable[Shift], now: datetime) -> str:
    current = [f"{shift.person} until {shift.ends:%Y-%m-%d %H:%M} UTC" for shift in shifts if shift.covers(now)]
    return f"now {', '.join(current)}" if current else "now nobody"


@asynccontextmanager
async def open_roster(
    turns: Rotation | str, zone: str, names: Iterable[str], clock: Clock
) -> AsyncGenerator[Roster, None]:
    """*turns*: a rotation, the path of an iCal file or its address. Nothing is read before ``refresh`` or ``check``.

    *zone*: of the calendar's whole days and floating times. *names*: the people it may name.
    """
    if isinstance(turns, Rotation):
        yield RotationRoster(turns, clock)
    elif "://" in turns:
        async with aiohttp.ClientSession() as session:
            yield CalendarRoster(Address(session, turns), zone, names, clock)
    else:
        yield CalendarRoster(File(Path(turns)), zone, names, clock)
