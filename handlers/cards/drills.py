"""A year of failovers and drills as one card: are they getting better?"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import isnan, nan

from bot.domain.drillhistory import Month, better, months
from bot.domain.drillreport import Report
from bot.domain.failover_course import Kind
from bot.domain.messages import Block, Button, Curve, Graph, Message, Paragraph, Table, Tone
from bot.domain.operations import STATE_WORDS, State
from bot.domain.phrases import Code, Phrase, Quantity, phrase
from handlers.cards.drill import asked, headed

SHOWN = 20
KINDS = {
    Kind.FAILOVER: phrase("failover"),
    Kind.FAILBACK: phrase("failback"),
    Kind.DRILL: phrase("drill"),
    Kind.LIVE: phrase("live drill"),
}
NONE = Phrase("–")
OVERDUE = timedelta(days=45)
"""A month and a half: a rehearsal each month is what keeps a plan true, with room for one that was moved."""


def draw(reports: tuple[Report, ...], now: datetime) -> Message:
    """*reports* are those of a year, the latest first."""
    if not reports:
        title = phrase("No failover and no drill in the last year")
        hint = phrase("{command} rehearses the failover and changes nothing.", command=Code("drill"))
        return Message(title, Tone.WARNING, (Paragraph(hint),), (Button(phrase("Drill"), "drill"),))
    found = months(reports, lambda at: at.astimezone(now.tzinfo))
    blocks: list[Block] = [Paragraph(better(reports)), *_overdue(reports, now), _by_month(found)]
    blocks += _pictures(found, reports)
    blocks += [headed(phrase("One by one")), Table(_HEADER, tuple(map(_row, reports[:SHOWN])))]
    buttons = (Button(phrase("The last one"), asked(reports[0])),)
    return Message(phrase("Failovers and drills of a year"), Tone.INFO, tuple(blocks), buttons)


_HEADER = (
    phrase("When"), phrase("What"), phrase("How it ended"), phrase("RTO"), phrase("RPO or lag"), phrase("Stopped"),
)  # fmt: skip


def _row(report: Report) -> tuple[Phrase, ...]:
    lost = report.rpo if report.course.acts else report.lag
    return (
        phrase("{at}", at=report.proposed),
        phrase("{kind} {id}", kind=KINDS[report.kind], id=Code(report.operation)),
        STATE_WORDS[report.state],
        _time(report.rto),
        _seconds(lost),
        phrase("{n} times", n=len(report.blocked)) if report.blocked else NONE,
    )


def _by_month(found: tuple[Month, ...]) -> Table:
    header = (
        phrase("Month"), phrase("How many"), phrase("RTO"), phrase("RPO or lag"), phrase("Stopped"),
        phrase("Held up for"),
    )  # fmt: skip
    rows = (
        (
            Phrase("{m}", {"m": f"{each.begins:%Y-%m}"}), phrase("{n}", n=each.count), _time(each.rto),
            _seconds(each.rpo), phrase("{n} times", n=each.blocked) if each.blocked else NONE,
            _time(each.held_up or None),
        )
        for each in reversed(found)
    )  # fmt: skip
    return Table(header, tuple(rows))


def _pictures(found: tuple[Month, ...], reports: tuple[Report, ...]) -> list[Block]:
    """RTO by month against its goal, where two months had one."""
    points = tuple((each.begins, each.rto.total_seconds() if each.rto else nan) for each in found)
    if sum(not isnan(value) for _, value in points) < 2:
        return []
    goal = reports[0].course.rto.total_seconds()
    return [Graph(phrase("RTO by month"), (Curve(phrase("RTO"), points),), "s", goal)]


def _overdue(reports: tuple[Report, ...], now: datetime) -> list[Block]:
    drills = [each for each in reports if each.kind in {Kind.DRILL, Kind.LIVE} and each.state is State.SUCCEEDED]
    if drills and now - drills[0].proposed <= OVERDUE:
        return []
    said = (
        phrase("The last rehearsal was {at}: it is time for another.", at=drills[0].proposed)
        if drills
        else phrase("Nothing was rehearsed in this year: it is time for a drill.")
    )
    return [Paragraph(said)]


def _time(length: timedelta | None) -> Phrase:
    return NONE if length is None else phrase("{t}", t=timedelta(seconds=round(length.total_seconds(), 1)))


def _seconds(value: float | None) -> Phrase:
    return NONE if value is None else phrase("{t}", t=Quantity(value, "s", 1))
