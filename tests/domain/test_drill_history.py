"""A year of failovers and drills: by month, and whether they get better."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.drillhistory import better, months
from bot.domain.drillreport import Blocked, Report
from bot.domain.failover_course import Course, Kind
from bot.domain.operations import State
from bot.domain.phrases import English, phrase
from bot.platforms.console.plain import plain
from handlers.cards import drills

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def report(ago: float, rto: float | None = None, lost: float | None = 0.4, blocked: int = 0) -> Report:
    """*ago* days; with an RTO (seconds) it is a failover, without one a rehearsal."""
    at = NOW - ago * DAY
    course = Course(Kind.DRILL if rto is None else Kind.FAILOVER, "nyc2", "sfo3", timedelta(seconds=60), at)
    stops = tuple(Blocked(phrase("x"), f"s{n}", None, timedelta(seconds=30)) for n in range(blocked))
    made = Report(
        f"op-{ago:g}", course, State.SUCCEEDED, "anna", at, at, at + timedelta(minutes=3), (), (), stops, at, lag=lost
    )
    return made if rto is None else replace(made, rto=timedelta(seconds=rto), rpo=lost)


@pytest.mark.parametrize(
    ("past", "said"),
    [
        ([], "Too few"),
        ([report(90), report(60), report(30)], "Too few"),
        ([report(90, 600), report(60, 500), report(30, 300), report(1, 200)], "They get better: RTO 550"),
        ([report(90, 200), report(60, 200), report(30, 500), report(1, 600)], "They get worse"),
        ([report(90, 200), report(60, 200), report(30, 201), report(1, 199)], "They stay as they were"),
        ([report(90, 600), report(60, 600), report(30, 200, 9.0), report(1, 200, 9.0)], "Some of it gets better"),
        ([report(90, blocked=3), report(60, blocked=2), report(30, blocked=1), report(1)], "stopped 2.5 → 0.5"),
    ],
)
def test_are_they_getting_better(past: list[Report], said: str) -> None:
    assert said in better(past).plain()
    assert better(past) == better(list(reversed(past))), "their order in time counts, not in the list"


def test_what_nobody_measured_is_compared_with_nothing() -> None:
    """Promise 14: an unknown lag is no small one."""
    said = better([report(90, lost=None), report(60, lost=None), report(30), report(1)]).plain()
    assert "lag" not in said


def test_months_are_those_of_the_calendar() -> None:
    found = months([report(1, 100), report(2, 300), report(40, None, 9.0, 2)], lambda at: at)
    assert [(each.begins.month, each.count) for each in found] == [(10, 1), (11, 2)]
    assert found[1].rto == timedelta(seconds=200)
    assert found[0].rto is None
    assert found[0].held_up == timedelta(seconds=60)


def test_the_card_of_a_year() -> None:
    text = plain(drills.draw((report(1, 200), report(31, 300), report(61, 500), report(91, 600)), NOW), English())
    assert "They get better" in text
    assert "2026-11" in text
    assert "it is time for a drill" in text, "failovers are no rehearsals"
    assert "RTO by month" in text


def test_the_card_of_a_year_without_any() -> None:
    message = drills.draw((), NOW)
    assert "No failover and no drill" in message.title.plain()
    assert [button.command for button in message.buttons] == ["drill"]
