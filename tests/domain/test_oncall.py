"""Whose turn it is and when a person is left alone, also on the days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.oncall import Quiet, Rotation, Shift, on_call

ZONES = ("Europe/Moscow", "America/New_York", "UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana")
NIGHTS = (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2011, 3, 27, tzinfo=UTC))
"""New York to summer time and back; Moscow's last change to summer time."""
START = datetime(2009, 1, 1, tzinfo=UTC)
moments = st.builds(lambda seconds: START + timedelta(seconds=seconds), st.integers(0, 800_000_000)) | st.builds(
    lambda night, seconds: night + timedelta(seconds=seconds),
    st.sampled_from(NIGHTS),
    st.integers(-8 * 86_400, 8 * 86_400),
)
clock_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
zones = st.sampled_from(ZONES)
rotations = st.builds(
    Rotation,
    st.sampled_from([("anna",), ("anna", "boris"), ("anna", "boris", "chen")]),
    st.integers(0, 6),
    clock_times,
    zones,
)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(rotations, moments)
def test_one_turn_covers_every_moment(rotation: Rotation, now: datetime) -> None:
    shift = rotation.shift(now)
    assert shift is not None
    assert shift.covers(now)
    assert timedelta(hours=167) <= shift.ends - shift.starts <= timedelta(hours=169)


@given(rotations, moments)
def test_turns_follow_one_another_without_gap_in_the_order_of_people(rotation: Rotation, now: datetime) -> None:
    shifts = rotation.shifts(now, now + timedelta(weeks=8))
    assert shifts[0].covers(now)
    assert shifts[-1].ends >= now + timedelta(weeks=8)
    for before, after in pairwise(shifts):
        assert before.ends == after.starts
        order = rotation.people
        assert after.person == order[(order.index(before.person) + 1) % len(order)]


@given(rotations, moments)
def test_the_handover_is_at_its_time_on_the_wall(rotation: Rotation, now: datetime) -> None:
    shift = rotation.shift(now)
    assert shift is not None
    local = shift.starts.astimezone(ZoneInfo(rotation.zone))
    wall = datetime.combine(local.date(), rotation.at, ZoneInfo(rotation.zone)).astimezone(UTC)
    assert shift.starts == wall, "a time that the clocks skip is told as the same instant"
    if local.time() == rotation.at:
        assert local.weekday() == rotation.weekday


@given(rotations, moments, moments)
def test_a_turn_is_the_same_from_wherever_one_looks(rotation: Rotation, now: datetime, other: datetime) -> None:
    mine, theirs = rotation.shift(now), rotation.shift(other)
    assert mine is not None
    assert theirs is not None
    assert mine == theirs or mine.ends <= theirs.starts or theirs.ends <= mine.starts


@pytest.mark.parametrize(
    ("zone", "before", "hours"),
    [
        ("America/New_York", "2026-03-07T12:00", 167),
        ("America/New_York", "2026-10-31T12:00", 169),
        ("Europe/Moscow", "2026-03-28T12:00", 168),
        ("Europe/Moscow", "2011-03-26T12:00", 167),
    ],
)
def test_a_week_with_a_clock_change(zone: str, before: str, hours: int) -> None:
    shift = Rotation(("anna", "boris"), 0, time(10), zone).shift(at(before, zone))
    assert shift is not None
    assert (shift.ends - shift.starts) == timedelta(hours=hours)
    local = ZoneInfo(zone)
    assert [each.astimezone(local).time() for each in (shift.starts, shift.ends)] == [time(10), time(10)]


def test_the_second_of_the_handover_is_the_next_persons() -> None:
    rotation = Rotation(("anna", "boris"), 0, time(0), "Europe/Moscow")
    monday = at("2026-03-02T00:00", "Europe/Moscow")
    last, first = rotation.shift(monday - timedelta(microseconds=1)), rotation.shift(monday)
    assert last is not None
    assert first is not None
    assert last.ends == first.starts == monday
    assert last.person != first.person


def test_sunday_night_in_moscow_is_still_saturdays_people_in_utc() -> None:
    rotation = Rotation(("anna", "boris"), 6, time(23, 30), "America/New_York")
    shift = rotation.shift(at("2026-03-02T04:29"))
    after = rotation.shift(at("2026-03-02T04:30"))
    assert shift is not None
    assert after is not None
    assert after.starts == shift.ends == at("2026-03-02T04:30")


def test_nobody_takes_turns_where_nobody_is_named() -> None:
    rotation = Rotation(())
    assert rotation.shift(at("2026-03-02T04:29")) is None
    assert rotation.shifts(at("2026-03-02T00:00"), at("2027-03-02T00:00")) == ()


# --- overrides ---


NOON = at("2026-03-04T12:00")
HOUR = timedelta(hours=1)
ANNA, BORIS = Shift("anna", NOON - HOUR, NOON + HOUR), Shift("boris", NOON - HOUR, NOON + HOUR)


def taken(person: str, since: int, until: int) -> Shift:
    return Shift(person, NOON + since * HOUR, NOON + until * HOUR, by=person)


def who(now: datetime, *overrides: Shift, shifts: tuple[Shift, ...] = (ANNA,)) -> list[str]:
    return [shift.person for shift in on_call(shifts, overrides, now)]


def test_everyone_whose_turn_it_is_is_on_call() -> None:
    assert who(NOON, shifts=(ANNA, BORIS)) == ["anna", "boris"]
    assert who(NOON + HOUR) == []
    assert who(NOON - HOUR) == ["anna"]


def test_an_override_takes_the_place_of_all() -> None:
    assert who(NOON, taken("chen", -1, 1), shifts=(ANNA, BORIS)) == ["chen"]
    assert who(NOON, taken("chen", 1, 2), taken("chen", -2, 0)) == ["anna"], "neither begun nor over"
    assert who(NOON, taken("chen", -1, 1), shifts=()) == ["chen"]


def test_of_several_overrides_the_last_counts_and_then_the_one_before() -> None:
    long, short = taken("boris", -2, 8), taken("chen", -1, 1)
    for order in ((long, short), (short, long)):
        assert who(NOON, *order) == ["chen"]
        assert who(NOON + HOUR, *order) == ["boris"]


# --- quiet hours ---


def quiet(hours: str, zone: str = "UTC") -> Quiet:
    begins, _, ends = hours.partition("-")
    return Quiet(time.fromisoformat(begins), time.fromisoformat(ends), zone)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ("22:00-08:00", "2026-03-04T21:59", None),
        ("22:00-08:00", "2026-03-04T22:00", "2026-03-05T08:00"),
        ("22:00-08:00", "2026-03-05T00:00", "2026-03-05T08:00"),
        ("22:00-08:00", "2026-03-05T07:59", "2026-03-05T08:00"),
        ("22:00-08:00", "2026-03-05T08:00", None),
        ("12:00-14:00", "2026-03-04T13:00", "2026-03-04T14:00"),
        ("12:00-14:00", "2026-03-04T11:00", None),
        ("00:00-08:00", "2026-02-28T00:00", "2026-02-28T08:00"),
        ("20:00-00:00", "2026-02-28T23:59", "2026-03-01T00:00"),
        ("20:00-00:00", "2026-03-01T00:00", None),
        ("23:00-22:59", "2026-12-31T23:30", "2027-01-01T22:59"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "Asia/Kathmandu"])
def test_quiet_hours(hours: str, now: str, until: str | None, zone: str) -> None:
    assert quiet(hours, zone).until(at(now, zone)) == (at(until, zone) if until else None)


@given(clock_times, clock_times, zones, moments)
@example(time(22), time(1, 30), "America/New_York", datetime(2026, 11, 1, 6, 15, tzinfo=UTC))
@example(time(22), time(2, 30), "America/New_York", datetime(2026, 3, 8, 6, 45, tzinfo=UTC))
def test_quiet_ends_later_and_within_a_day(begins: time, ends: time, zone: str, now: datetime) -> None:
    if begins == ends:
        return
    hours = Quiet(begins, ends, zone)
    until = hours.until(now)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=25)
    if until.astimezone(ZoneInfo(zone)).time() == ends:  # else the clocks skipped it, and what begins then as well
        assert hours.until(until) is None, "it is over then"


@given(clock_times, clock_times, zones, moments)
def test_every_moment_is_quiet_by_one_of_two_halves_of_the_day(a: time, b: time, zone: str, now: datetime) -> None:
    if a == b:
        return
    assert (Quiet(a, b, zone).until(now) is None) is not (Quiet(b, a, zone).until(now) is None)
