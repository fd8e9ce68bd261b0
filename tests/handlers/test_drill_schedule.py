"""The rehearsal that comes round each month: once, at its hour, and not while something burns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

import handlers
from bot.adapters.sql import SqlStore
from bot.domain.cards import Priority
from bot.domain.hours import Monthly
from bot.domain.operations import Operation, State
from bot.domain.phrases import English
from bot.platforms.console.plain import plain
from handlers.schedules.drills import Rehearsing
from tests.handlers.department import Department, alert
from tests.handlers.moving import Moving
from tests.handlers.test_approvals import notices

FIRST = datetime(2026, 4, 6, 7, 0, tzinfo=UTC)
"""The first Monday of April at 10:00 in Moscow; the fake's clock begins on the first of March."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def moving(department: Department) -> Moving:
    department.approvals_in = ("slack:C0APPROVALS",)
    return Moving(department)


@dataclass
class Replica:
    """One of the pults on the same store."""

    moving: Moving

    def __post_init__(self) -> None:
        self.duty = self._duty()

    def _duty(self) -> Rehearsing:
        ports = self.moving.department.ports
        planner = handlers.planner(ports)
        assert planner is not None
        at = Monthly.written("first Mon 10:00", "Europe/Moscow")
        return Rehearsing(
            ports.store, ports.clock, at, planner.drill, self.moving.department.desk(), ("slack:C0APPROVALS",)
        )

    async def looks(self, at: datetime) -> None:
        self.moving.clock.at = at
        await self.duty.duty().run()


async def drills(store: SqlStore) -> list[Operation]:
    return [each for each in await store.read(lambda tx: tx.recent_operations(50)) if each.plan.action == "drill"]


async def test_proposed_once_at_its_hour_and_page_free(moving: Moving) -> None:
    pult = Replica(moving)
    await pult.looks(FIRST - 20 * DAY)
    assert await drills(moving.store) == [], "an installation is no occasion"
    await pult.looks(FIRST - timedelta(seconds=1))
    assert await drills(moving.store) == []
    await pult.looks(FIRST)
    (made,) = await drills(moving.store)
    assert made.proposer == "pult"
    assert made.state is State.WAITING, "somebody agrees"
    assert Priority.PAGE not in (await notices(moving.department, "op:")).values()
    assert Priority.PAGE not in (await notices(moving.department, "ask:")).values()
    for minutes in (1, 2, 600, 60 * 24 * 20):
        await pult.looks(FIRST + timedelta(minutes=minutes))
    assert len(await drills(moving.store)) == 1
    await moving.over()
    await pult.looks(datetime(2026, 5, 4, 7, 0, tzinfo=UTC))
    assert len(await drills(moving.store)) == 2, "and the next month again"


async def test_two_replicas_and_a_restart_propose_one(moving: Moving) -> None:
    one, other = Replica(moving), Replica(moving)
    await one.looks(FIRST - DAY)
    await one.looks(FIRST)
    await other.looks(FIRST)
    await Replica(moving).looks(FIRST + timedelta(seconds=61))
    assert len(await drills(moving.store)) == 1


async def test_an_open_critical_incident_moves_it_to_the_next_day_and_that_is_said(moving: Moving) -> None:
    pult = Replica(moving)
    await pult.looks(FIRST - DAY)
    group = await moving.department.fires(alert(), at=FIRST - HOUR)
    await pult.looks(FIRST)
    await pult.looks(FIRST + timedelta(minutes=1))
    assert await drills(moving.store) == []
    told = await notices(moving.department, "notice:drill-moved")
    assert told == {"slack:C0APPROVALS": Priority.NORMAL}
    name = f"notice:drill-moved:{int(FIRST.timestamp())}"
    message = await moving.store.read(lambda tx: tx.message(name))
    assert message is not None
    assert "2026-04-07 07:00:00" in message.title.plain()
    assert group.id in plain(message, English())
    ended = replace(alert(), ends_at=FIRST + HOUR)
    await moving.store.write(lambda tx: tx.save_group(replace(group, closed_at=FIRST + HOUR, alerts={"a": ended})))
    await pult.looks(FIRST + 5 * HOUR)
    assert await drills(moving.store) == [], "not in the middle of the day"
    await pult.looks(FIRST + DAY)
    assert len(await drills(moving.store)) == 1


async def test_pult_was_down_at_the_hour(moving: Moving) -> None:
    pult = Replica(moving)
    await pult.looks(FIRST - DAY)
    await pult.looks(FIRST + 15 * HOUR)
    assert await drills(moving.store) == [], "nobody expects it at night"
    await pult.looks(FIRST + DAY)
    assert len(await drills(moving.store)) == 1


async def test_a_move_that_is_under_way_is_not_disturbed(moving: Moving) -> None:
    pult = Replica(moving)
    await pult.looks(FIRST - DAY)
    await moving.department.proposed("anna", "failover nyc2 to sfo3")
    await pult.looks(FIRST)
    assert await drills(moving.store) == []
    assert await notices(moving.department, "notice:drill-moved")


@pytest.mark.parametrize(
    ("text", "zone", "now", "due"),
    [
        ("first Mon 10:00", "Europe/Moscow", "2026-03-02T06:59:59", "2026-02-02T07:00:00"),
        ("first Mon 10:00", "Europe/Moscow", "2026-03-02T07:00:00", "2026-03-02T07:00:00"),
        ("last Fri 15:30", "UTC", "2026-01-03T00:00:00", "2025-12-26T15:30:00"),
        ("last Sun 02:30", "Europe/Berlin", "2026-03-30T00:00:00", "2026-03-29T01:30:00"),
        ("first Mon 10:00", "America/New_York", "2026-11-02T14:59:59", "2026-10-05T14:00:00"),
        ("first Mon 10:00", "America/New_York", "2026-11-02T15:00:00", "2026-11-02T15:00:00"),
    ],
)
def test_a_month_has_one_such_day(text: str, zone: str, now: str, due: str) -> None:
    at = Monthly.written(text, zone)
    assert at.last(datetime.fromisoformat(now + "+00:00")) == datetime.fromisoformat(due + "+00:00")
