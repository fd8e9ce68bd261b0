"""Which freeze covers a service at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.freezes import EVERYTHING, Freeze, Once, Weekly, Window, frozen

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN, MOSCOW = "Europe/Berlin", "Europe/Moscow"
WEEKEND = Weekly(4, time(18), 0, time(8), BERLIN)
MINUTES_A_WEEK = 7 * 24 * 60


def local(zone: str, *at: int, fold: int = 0) -> datetime:
    return datetime(*at, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        ((2026, 3, 6, 17, 59), False),
        ((2026, 3, 6, 18, 0), True),
        ((2026, 3, 8, 12, 0), True),
        ((2026, 3, 9, 7, 59), True),
        ((2026, 3, 9, 8, 0), False),
        ((2026, 3, 11, 12, 0), False),
        ((2026, 1, 1, 12, 0), False),
        ((2026, 1, 3, 0, 0), True),
    ],
)
def test_a_weekend(at: tuple[int, ...], covered: bool) -> None:
    assert (WEEKEND.end(local(BERLIN, *at)) is not None) is covered


def test_it_tells_when_it_is_over_across_a_clock_change() -> None:
    """On the last Sunday of March Berlin's clocks are set forward, in October back."""
    assert WEEKEND.end(local(BERLIN, 2026, 3, 27, 19)) == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)
    assert WEEKEND.end(local(BERLIN, 2026, 3, 20, 19)) == datetime(2026, 3, 23, 7, 0, tzinfo=UTC)
    assert WEEKEND.end(local(BERLIN, 2026, 10, 23, 19)) == datetime(2026, 10, 26, 7, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_frozen_both_times() -> None:
    night = Weekly(6, time(2, 30), 6, time(2, 45), BERLIN)
    for fold in (0, 1):
        assert night.end(local(BERLIN, 2026, 10, 25, 2, 40, fold=fold)) == datetime(2026, 10, 25, 1, 45, tzinfo=UTC)


def test_an_hour_that_never_comes_is_frozen_rather_than_not() -> None:
    until_half_past_two = Weekly(5, time(18), 6, time(2, 30), BERLIN)
    assert until_half_past_two.end(local(BERLIN, 2026, 3, 29, 1, 59)) == local(BERLIN, 2026, 3, 29, 3, 30)
    from_half_past_two = Weekly(6, time(2, 30), 6, time(4), BERLIN)
    assert from_half_past_two.end(local(BERLIN, 2026, 3, 29, 3, 1)) == local(BERLIN, 2026, 3, 29, 4)


DAYS = st.integers(0, 6)
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))
WEEKLY = st.builds(Weekly, DAYS, CLOCKS, DAYS, CLOCKS, st.sampled_from([MOSCOW, "Asia/Kolkata", "UTC"])).filter(
    lambda each: (each.day, each.begins) != (each.last, each.ends)
)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def minute(day: int, at: time) -> int:
    return day * 24 * 60 + at.hour * 60 + at.minute


@given(WEEKLY, TIMES)
def test_it_is_a_part_of_the_circle_of_the_week(weekly: Weekly, now: datetime) -> None:
    """Where no clock is changed, minutes of the week on a circle say the same."""
    here = now.astimezone(ZoneInfo(weekly.zone))
    starts, ends = minute(weekly.day, weekly.begins), minute(weekly.last, weekly.ends)
    since, length = (minute(here.weekday(), here.time()) - starts) % MINUTES_A_WEEK, (ends - starts) % MINUTES_A_WEEK
    end = weekly.end(now)
    assert (end is not None) is (since < length)
    if end is not None:
        left = timedelta(minutes=length - since) - timedelta(seconds=here.second, microseconds=here.microsecond)
        assert end - now == left


CHANGING = st.sampled_from([BERLIN, "America/New_York", "Australia/Sydney"])


@given(WEEKLY, CHANGING, TIMES)
def test_its_end_is_ahead_and_its_wall_clock_right_whatever_the_clocks_do(
    fixed: Weekly, zone: str, now: datetime
) -> None:
    weekly = replace(fixed, zone=zone)
    end = weekly.end(now)
    if end is None:
        return
    assert now < end
    assert weekly.end(end - timedelta(microseconds=1)) == end, "it lasts to its end"
    there = end.astimezone(ZoneInfo(weekly.zone))
    exists = datetime.combine(there.date(), weekly.ends, there.tzinfo).astimezone(UTC).astimezone(there.tzinfo)
    assert there.weekday() == weekly.last
    assert there.time() == weekly.ends or exists.time() != weekly.ends, "only an hour that never comes is another"


@given(
    st.lists(st.builds(Freeze, st.sampled_from(["api", "bots", EVERYTHING]), TIMES, st.just("w"), st.just("a"))), TIMES
)
def test_the_one_that_lasts_longest_is_told_and_other_services_have_none(kept: list[Freeze], now: datetime) -> None:
    found = frozen("api", now, kept, ())
    mine = [each for each in kept if each.service != "bots" and each.until > now]
    assert (found is None) is (not mine)
    if found is not None:
        assert found in mine
        assert found.until == max(each.until for each in mine)


def test_of_command_and_calendar_the_longer_counts() -> None:
    window = Window(Once(NOON, NOON + 2 * HOUR), "holidays")
    by_anna = Freeze("api", NOON + HOUR, "moving", "anna")
    assert frozen("api", NOON, [by_anna], [window]) == Freeze(EVERYTHING, NOON + 2 * HOUR, "holidays", "")
    assert frozen("api", NOON - HOUR, [by_anna], [window]) == by_anna
    assert frozen("api", NOON + 2 * HOUR, [by_anna], [window]) is None


def test_a_window_of_some_services_leaves_the_others_alone() -> None:
    window = Window(Once(NOON, NOON + HOUR), "moving", frozenset({"api"}))
    assert frozen("bots", NOON, [], [window]) is None
    assert frozen("", NOON, [], [window]) is None
    assert (found := frozen("api", NOON, [], [window])) is not None
    assert (found.service, found.by) == ("api", "")


def test_a_date_counts_in_the_calendar_of_its_zone() -> None:
    assert WEEKEND.end(datetime(2026, 3, 6, 17, 0, tzinfo=UTC)) is not None, "18:00 in Berlin"
    assert WEEKEND.end(datetime(2026, 3, 6, 16, 59, tzinfo=UTC)) is None
    assert date(2026, 3, 6).weekday() == WEEKEND.day
