"""Calendars as Google, PagerDuty and Exchange write them, read from a disk and from a real server."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.calendar.events import MOST, read
from bot.adapters.calendar.named import NOBODY, Attendee, named
from bot.adapters.calendar.roster import open_roster
from bot.adapters.calendar.sources import MOST as LARGEST
from bot.domain.errors import TemporaryError
from bot.domain.oncall import Rotation, Shift
from bot.edge.server import serve
from bot.ports.roster import Roster

FIXTURES = Path(__file__).parents[1] / "fixtures" / "ical"
GOOGLE, PAGERDUTY, OUTLOOK = ((FIXTURES / f"{name}.ics").read_bytes() for name in ("google", "pagerduty", "outlook"))
NAMES = ("anna", "boris", "chen")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


def at(text: str, zone: str = "Europe/Moscow") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def shift(person: str, starts: str, ends: str, zone: str = "Europe/Moscow") -> Shift:
    return Shift(person, at(starts, zone), at(ends, zone))


def turns(text: bytes, names: tuple[str, ...] = NAMES, zone: str = "Europe/Moscow", now: datetime = NOW):
    return read(text, zone, names, now - WEEK, now + 6 * WEEK)


def event(*lines: str) -> bytes:
    text = ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(text).encode()


def often(rule: str) -> bytes:
    return event("SUMMARY:anna", "DTSTART:20260101T000000Z", "DURATION:PT1S", f"RRULE:{rule}")


def hourly(events: int) -> bytes:
    lines = ("SUMMARY:anna", "DTSTART:20260101T000000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY")
    return b"".join(event(*lines) for _ in range(events))


# --- what a calendar says ---


def test_a_week_by_week_calendar_with_an_exception_a_swap_and_a_day_beside_it() -> None:
    found = turns(GOOGLE)
    assert found.shifts == (
        shift("anna", "2026-03-02T10:00", "2026-03-09T10:00"),
        shift("chen", "2026-03-05T00:00", "2026-03-06T00:00"),
        shift("boris", "2026-03-09T10:00", "2026-03-16T10:00"),
        shift("anna", "2026-03-16T10:00", "2026-03-23T10:00"),
        shift("chen", "2026-03-24T10:00", "2026-03-31T10:00"),
        shift("boris", "2026-04-06T10:00", "2026-04-13T10:00"),
        shift("anna", "2026-04-13T10:00", "2026-04-20T10:00"),
    )
    assert (found.strangers, found.broken) == ((), False)


def test_names_among_other_words_attendees_strangers_and_two_at_once() -> None:
    found = turns(PAGERDUTY)
    assert found.shifts == (
        shift("anna", "2026-03-02T07:00", "2026-03-04T07:00", "UTC"),
        shift("boris", "2026-03-04T07:00", "2026-03-05T07:00", "UTC"),
        shift("anna", "2026-03-06T07:00", "2026-03-07T07:00", "UTC"),
        shift("boris", "2026-03-06T07:00", "2026-03-07T07:00", "UTC"),
    )
    assert found.strangers == ("On Call - Dave Novak",)


def test_nights_over_a_clock_change_with_a_zone_named_by_windows() -> None:
    found = turns(OUTLOOK, ("анна",))
    assert found.shifts == (
        shift("анна", "2026-03-07T18:00", "2026-03-08T06:00", "America/New_York"),
        shift("анна", "2026-03-08T18:00", "2026-03-09T06:00", "America/New_York"),
        shift("анна", "2026-03-09T18:00", "2026-03-10T06:00", "America/New_York"),
        shift("анна", "2026-03-10T18:00", "2026-03-11T06:00", "America/New_York"),
    )
    assert found.shifts[0].ends - found.shifts[0].starts == 11 * HOUR, "one hour is skipped that night"
    assert found.shifts[1].ends - found.shifts[1].starts == 12 * HOUR


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York", "Asia/Kathmandu"])
def test_whole_days_and_floating_times_are_in_the_departments_zone(zone: str) -> None:
    days = turns(event("SUMMARY:anna", "DTSTART;VALUE=DATE:20260307", "DTEND;VALUE=DATE:20260309"), zone=zone)
    assert days.shifts == (shift("anna", "2026-03-07T00:00", "2026-03-09T00:00", zone),)
    floating = turns(event("SUMMARY:anna", "DTSTART:20260307T200000", "DURATION:PT12H"), zone=zone)
    assert floating.shifts[0].starts == at("2026-03-07T20:00", zone)
    one_day = turns(event("SUMMARY:anna", "DTSTART;VALUE=DATE:20260307"), zone=zone)
    assert one_day.shifts == (shift("anna", "2026-03-07T00:00", "2026-03-08T00:00", zone),)


def test_turns_that_touch_are_one_and_those_that_overlap_too() -> None:
    text = event("SUMMARY:anna", "DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;COUNT=5").replace(
        b"END:VCALENDAR",
        b"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Anna\r\nDTSTART;VALUE=DATE:20260304\r\nDTEND;VALUE=DATE:20260310\r\n"
        b"END:VEVENT\r\nEND:VCALENDAR",
    )
    assert turns(text).shifts == (shift("anna", "2026-03-02T00:00", "2026-03-10T00:00"),)


@pytest.mark.parametrize("ends", ["DTEND:20260304T100000Z", ""])
def test_what_has_no_length_puts_nobody_on_call(ends: str) -> None:
    lines = ["SUMMARY:anna", "DTSTART:20260304T100000Z", *([ends] if ends else [])]
    assert turns(event(*lines)).shifts == ()


def test_only_what_touches_the_horizon_is_unfolded() -> None:
    daily = event("SUMMARY:anna", "DTSTART:19990101T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    found = turns(daily).shifts
    assert len(found) == 49
    assert found[0].ends > NOW - WEEK
    assert found[-1].starts < NOW + 6 * WEEK


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no whole calendar"),
        (b"<!doctype html><title>Sign in</title>", "no iCalendar text"),
        (b"\x00\xff\xfe", "no iCalendar text"),
        (GOOGLE[: len(GOOGLE) // 2], "no whole calendar"),
        (b"BEGIN:VEVENT\nSUMMARY:anna\nEND:VEVENT\n", "no whole calendar"),
        (often("FREQ=SECONDLY"), "more than once an hour"),
        (often("INTERVAL=2;FREQ=MINUTELY"), "more than once an hour"),
        (often("FREQ=DAILY;BYHOUR=1;BY\r\n MINUTE=1,2"), "more than once an hour"),
        (hourly(5), f"more than {MOST} events"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused_with_a_reason(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        turns(text)


def test_one_rule_that_cant_be_read_leaves_the_other_events() -> None:
    broken = b"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:boris\r\nDTSTART:20260304T100000Z\r\nDURATION:PT1H\r\n"
    text = GOOGLE.replace(b"END:VCALENDAR", broken + b"RRULE:FREQ=WEEKLY;BYDAY=XX\r\nEND:VEVENT\r\nEND:VCALENDAR")
    found = turns(text)
    assert found.broken
    assert [each.person for each in found.shifts][:3] == ["anna", "chen", "boris"]


lines = st.sampled_from([line for text in (GOOGLE, OUTLOOK, PAGERDUTY) for line in text.splitlines()])
oddities = st.sampled_from(
    [b"RRULE:FREQ=DAILY", b"RRULE:FREQ=WEEKLY;UNTIL=20260310", b"RRULE:FREQ=YEARLY;BYMONTHDAY=99", b"RRULE:",
     b"DTEND:x",
     b"RDATE;VALUE=DATE:20260304,20260305", b"DTSTART:00010101T000000Z", b"DTSTART;TZID=Nowhere:20260304T100000",
     b"DURATION:-P1D", b"EXDATE:20260304", b"RECURRENCE-ID:20260304", b"DTSTART:99991231T235959Z", b"SUMMARY;X=:", b":"]
)  # fmt: skip


@given(st.lists(lines | oddities, max_size=12), st.sampled_from([GOOGLE, OUTLOOK, PAGERDUTY]), st.randoms())
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused(more: list[bytes], text: bytes, random: Random) -> None:
    written = text.splitlines()
    for line in more:
        written[random.randrange(1, len(written) - 1)] = line
    try:
        found = turns(b"\r\n".join(written))
    except ValueError:
        return
    assert all(each.starts < each.ends and each.person in NAMES for each in found.shifts)


@pytest.mark.parametrize(
    ("summary", "found", "strangers"),
    [
        ("anna", ["anna"], []),
        ("  ANNA. ", ["anna"], []),
        ("On call: Anna", ["anna"], []),
        ("oncall - anna", ["anna"], []),
        ("Anna: on call", ["anna"], []),
        ("Anna 09:00-18:00", ["anna"], []),
        ("Дежурный: Anna", ["anna"], []),
        ("Anna (backup: Boris)", ["anna"], []),
        ("Anna, Boris & chen", ["anna", "boris", "chen"], []),
        ("Anna and Boris", ["anna", "boris"], []),
        ("anna и boris", ["anna", "boris"], []),
        ("Anna for Boris", ["anna", "boris"], []),
        ("On call: Anna, Dave", ["anna"], ["Dave"]),
        ("@anna!", ["anna"], []),
        ("annabel", [], ["annabel"]),
        ("On call: Dave", [], ["Dave"]),
        ("", [], [NOBODY]),
        ("()", [], [NOBODY]),
    ],
)
def test_whom_a_summary_names(summary: str, found: list[str], strangers: list[str]) -> None:
    people, others = named(summary, (), NAMES)
    assert (list(people), list(others)) == (found, strangers)


def test_attendees_count_where_the_summary_names_nobody() -> None:
    invited = (Attendee("", "mailto:Boris@dept.example"), Attendee("Chen Li", "mailto:cl@dept.example"))
    assert named("Duty", invited, NAMES) == (("boris", "chen"), ())
    assert named("anna", invited, NAMES) == (("anna",), ())
    assert named("Duty", (Attendee("Dave", "mailto:dave@dept.example"),), NAMES) == ((), ("Duty",))


# --- reading it again and again ---


class FakeClock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Server:
    """A real one, whose answers a test chooses."""

    def __init__(self) -> None:
        self.content, self.status, self.delay = GOOGLE, 200, 0.0
        self.etag: str | None = '"1"'
        self.headers: dict[str, str] = {}
        self.asked: list[str | None] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("If-None-Match"))
        await asyncio.sleep(self.delay)
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        headers = self.headers | ({"ETag": self.etag} if self.etag else {})
        return web.Response(status=self.status, body=self.content, headers=headers)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def roster(stack: AsyncExitStack, clock: FakeClock, server: Server) -> Roster:
    app = web.Application()
    app.router.add_get("/private-s3cret/basic.ics", server.handle)
    url = await stack.enter_async_context(serve(app, "127.0.0.1", 0, 1))
    opened = open_roster(f"{url}/private-s3cret/basic.ics", "Europe/Moscow", NAMES, clock)
    return await stack.enter_async_context(opened)


def on(roster: Roster, now: datetime) -> list[str]:
    return [each.person for each in roster.shifts(now, now + timedelta.resolution)]


async def test_nothing_is_known_before_the_first_reading(roster: Roster, server: Server) -> None:
    assert roster.shifts(NOW - WEEK, NOW + WEEK) == ()
    assert server.asked == []
    await roster.refresh()
    assert on(roster, NOW) == ["anna"]
    assert on(roster, at("2026-03-05T12:00")) == ["anna", "chen"]


async def test_what_has_not_changed_is_not_sent_again(roster: Roster, server: Server, clock: FakeClock) -> None:
    for _ in range(2):
        await roster.refresh()
    assert server.asked == [None, '"1"']
    assert on(roster, NOW) == ["anna"]
    server.content, server.etag = PAGERDUTY, '"2"'
    await roster.refresh()
    assert on(roster, NOW) == ["boris"]
    assert on(roster, NOW + 2 * WEEK) == []


async def test_the_horizon_moves_on_with_an_unchanged_calendar(roster: Roster, clock: FakeClock) -> None:
    await roster.refresh()
    far = NOW + 12 * WEEK
    assert on(roster, far) == []
    clock.at += 7 * WEEK
    await roster.refresh()
    assert on(roster, far) != []


@pytest.mark.parametrize("trouble", ["500", "404", "html", "cut off", "too large", "gone"])
async def test_what_cant_be_read_leaves_what_was_known(
    trouble: str, roster: Roster, server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    await roster.refresh()
    server.etag = '"2"'
    match trouble:
        case "html":
            server.content = b"<html>Sign in</html>"
        case "cut off":
            server.content = GOOGLE[:400]
        case "too large":
            server.content = b"BEGIN:VCALENDAR\r\n" + b"X-A:" + b"b" * LARGEST
        case "gone":
            server.headers = {"Content-Encoding": "gzip"}
        case status:
            server.status = int(status)
    clock.at += HOUR
    for _ in range(2):
        with pytest.raises(TemporaryError, match=r"can't be read since 2026-03-04 13:00 UTC") as raised:
            await roster.refresh()
        assert "s3cret" not in str(raised.value) + caplog.text
        clock.at += HOUR
    assert "what was read before still counts: now anna until 2026-03-09 07:00 UTC" in str(raised.value)
    assert on(roster, NOW) == ["anna"]
    with pytest.raises(TemporaryError, match="since 2026-03-04 13:00"):
        await roster.check()
    server.status, server.content, server.headers = 200, PAGERDUTY, {}
    await roster.refresh()
    assert on(roster, NOW) == ["boris"]
    assert "boris until" in await roster.check()


async def test_even_then_the_horizon_moves_on(roster: Roster, server: Server, clock: FakeClock) -> None:
    await roster.refresh()
    server.status, server.etag = 503, None
    clock.at += 7 * WEEK
    with pytest.raises(TemporaryError):
        await roster.refresh()
    assert on(roster, NOW + 12 * WEEK) != []


async def test_nothing_at_all_is_said_plainly(roster: Roster, server: Server) -> None:
    server.status = 401
    with pytest.raises(TemporaryError, match=r"it answers 401; nothing is known"):
        await roster.refresh()


async def test_a_server_that_is_not_there(stack: AsyncExitStack, clock: FakeClock) -> None:
    opened = open_roster("http://127.0.0.1:1/s3cret.ics", "UTC", NAMES, clock)
    roster = await stack.enter_async_context(opened)
    with pytest.raises(TemporaryError, match=r"127.0.0.1: no answer") as raised:
        await roster.refresh()
    assert "s3cret" not in str(raised.value)


async def test_it_may_come_compressed(roster: Roster, server: Server) -> None:
    server.content, server.headers = gzip.compress(GOOGLE), {"Content-Encoding": "gzip"}
    await roster.refresh()
    assert on(roster, NOW) == ["anna"]
    server.content, server.etag = gzip.compress(b"X" * (LARGEST * 2)), None
    with pytest.raises(TemporaryError, match="over"):
        await roster.refresh()


async def test_the_loop_turns_while_a_large_calendar_is_unfolded(roster: Roster, server: Server) -> None:
    one = GOOGLE.partition(b"BEGIN:VEVENT")[2].partition(b"END:VEVENT")[0]
    many = b"".join(
        b"BEGIN:VEVENT" + one.replace(b"anna-week", b"%d" % each).replace(b"Anna", b"Anna") + b"END:VEVENT\r\n"
        for each in range(300)
    )
    server.content = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + many + b"END:VCALENDAR\r\n"
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    task = asyncio.create_task(beat())
    await roster.refresh()
    task.cancel()
    assert beats > 5
    assert on(roster, NOW) == ["anna"]


async def test_check_says_who_and_whom_nobody_knows(
    roster: Roster, server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.content = PAGERDUTY
    said = await roster.check()
    caplog.clear()
    assert said == (
        "127.0.0.1: 3 turns ahead; now boris until 2026-03-05 07:00 UTC; not among [[people]]: On Call - Dave Novak"
    )
    assert await roster.check() == said
    assert len(server.asked) == 1, "it was read a moment ago"
    clock.at += HOUR
    server.etag = None
    with caplog.at_level(logging.WARNING):
        await roster.check()
    assert len(server.asked) == 2
    assert "somebody" not in caplog.text, "told once, at the first reading"


async def test_an_unknown_name_is_logged_once(
    roster: Roster, server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    server.content, server.etag = PAGERDUTY, None
    for _ in range(3):
        clock.at += 2 * HOUR
        await roster.refresh()
    told = [record for record in caplog.records if "somebody" in record.message]
    assert [record.__dict__["named"] for record in told] == ["On Call - Dave Novak"]


async def test_a_file(tmp_path: Path, stack: AsyncExitStack, clock: FakeClock) -> None:
    path = tmp_path / "oncall.ics"
    roster = await stack.enter_async_context(open_roster(str(path), "Europe/Moscow", NAMES, clock))
    with pytest.raises(TemporaryError, match=r"No such file.*nothing is known"):
        await roster.refresh()
    path.write_bytes(GOOGLE)
    await roster.refresh()
    assert on(roster, NOW) == ["anna"]
    path.write_bytes(PAGERDUTY)
    await roster.refresh()
    assert on(roster, NOW) == ["boris"]
    path.write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(TemporaryError, match="over"):
        await roster.refresh()
    assert on(roster, NOW) == ["boris"]


async def test_a_rotation(stack: AsyncExitStack, clock: FakeClock) -> None:
    rotation = Rotation(("anna", "boris"))
    roster = await stack.enter_async_context(open_roster(rotation, "UTC", NAMES, clock))
    await roster.refresh()
    assert roster.shifts(NOW, NOW + 3 * WEEK) == rotation.shifts(NOW, NOW + 3 * WEEK)
    current = rotation.shift(NOW)
    assert current is not None
    assert await roster.check() == f"rotation of 2; now {current.person} until 2026-03-09 10:00 UTC"


def test_the_recorded_calendars_are_what_they_seem() -> None:
    assert date(2026, 3, 2).weekday() == 0
    assert GOOGLE.count(b"BEGIN:VEVENT") == 5
