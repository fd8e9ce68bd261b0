"""A year of failovers and drills in figures: by month, and whether they get better. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bot.domain.drillreport import Report
from bot.domain.hours import midnight
from bot.domain.phrases import Phrase, Quantity, in_line, phrase

FEW = 4
"""Fewer than so many are no trend: each half then is one of luck."""
MARGIN = 0.1
"""A change of less than a tenth is none: pods start faster or slower by as much from day to day."""


@dataclass(frozen=True)
class Month:
    """What one month had, its first day in *begins*. Figures are medians; None: nobody measured any."""

    begins: datetime
    count: int
    rto: timedelta | None
    rpo: float | None
    held_up: timedelta
    blocked: int


def months(reports: Iterable[Report], local: Callable[[datetime], datetime]) -> tuple[Month, ...]:
    """The months that had any, the oldest first, by the calendar of *local*."""
    found: dict[datetime, list[Report]] = {}
    for report in reports:
        at = local(report.proposed)
        found.setdefault(midnight(at).replace(day=1), []).append(report)
    return tuple(_month(begins, found[begins]) for begins in sorted(found))


def better(reports: Iterable[Report]) -> Phrase:
    """Whether they get better, in one sentence: the newer half against the older one."""
    ordered = sorted(reports, key=lambda report: report.proposed)
    if len(ordered) < FEW:
        return phrase("Too few to tell whether they get better: it takes {n}.", n=FEW)
    half = len(ordered) // 2
    told = tuple(_compared(ordered[:half], ordered[-half:]))
    if not told:
        return phrase("Whether they get better is not known: nothing was measured in both halves of the time.")
    listed = in_line(each for _, each in told)
    ways = {way for way, _ in told} - {0}
    if ways == {-1}:
        return phrase("They get better: {what}.", what=listed)
    if ways == {1}:
        return phrase("They get worse: {what}.", what=listed)
    if not ways:
        return phrase("They stay as they were: {what}.", what=listed)
    return phrase("Some of it gets better, some worse: {what}.", what=listed)


def _compared(older: list[Report], newer: list[Report]) -> Iterator[tuple[int, Phrase]]:
    """Each figure as its way (-1: less than before, which is better) and its words."""
    before, now = _middle(_seconds(older)), _middle(_seconds(newer))
    if before is not None and now is not None:
        yield _way(before, now), phrase("RTO {before} → {now}", before=_time(before), now=_time(now))
    before, now = _middle(_lost(older)), _middle(_lost(newer))
    if before is not None and now is not None:
        told = phrase("lag or loss {before} → {now}", before=Quantity(before, "s", 1), now=Quantity(now, "s", 1))
        yield _way(before, now), told
    stuck = [sum(len(each.blocked) for each in half) / len(half) for half in (older, newer)]
    yield (
        _way(*stuck),
        phrase("stopped {before} → {now} times each", before=Quantity(stuck[0], "", 1), now=Quantity(stuck[1], "", 1)),
    )


def _way(before: float, now: float) -> int:
    if abs(now - before) <= MARGIN * max(before, now):
        return 0
    return -1 if now < before else 1


def _month(begins: datetime, found: list[Report]) -> Month:
    rto, held = _middle(_seconds(found)), sum((each.held_up for each in found), timedelta())
    return Month(
        begins, len(found), None if rto is None else timedelta(seconds=rto), _middle(_lost(found)), held,
        sum(len(each.blocked) for each in found),
    )  # fmt: skip


def _seconds(found: Iterable[Report]) -> list[float]:
    return [each.rto.total_seconds() for each in found if each.rto is not None]


def _lost(found: Iterable[Report]) -> list[float]:
    """What was lost, or would have been."""
    values = (each.rpo if each.course.acts else each.lag for each in found)
    return [value for value in values if value is not None]


def _middle(values: list[float]) -> float | None:
    return median(values) if values else None


def _time(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds, 1))
