"""Two replicas on one real PostgreSQL: nothing lost, nothing twice, and one that is killed is replaced in time."""

from __future__ import annotations

import time

import pytest

from tests.department import INCIDENTS, INCIDENTS_TG, Department, shown, until
from tests.promises.alerts import fires, resolves
from tests.pult_fixtures import Make
from tests.pult_process import Pult

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("store_url", ["postgresql"], indirect=True),
]
TAKEOVER = 10.0
"""Seconds until another replica does what a killed one did (issue: two or more replicas)."""


@pytest.fixture
async def pair(make: Make) -> tuple[Pult, Pult]:
    one, two = make(), make()
    await one.start()
    await two.start()
    await until("they don't see each other", lambda: _see(one, two))
    return one, two


async def test_alerts_to_either_replica_are_delivered_once(pair: tuple[Pult, Pult], department: Department) -> None:
    names = [f"Alert{number:03d}" for number in range(20)]
    for number, name in enumerate(names):
        assert (await pair[number % 2].alert(fires(name))).status == 200
    await _once(department, names)
    for number, name in enumerate(names):
        assert (await pair[1 - number % 2].alert(fires(name))).body["status"] == "duplicate"
        assert (await pair[1 - number % 2].alert(resolves(name))).status == 200
    for name in names:
        await department.shows(f"Resolved: {name}")
    await _once(department, names)


async def test_a_killed_owner_is_replaced_within_ten_seconds(pair: tuple[Pult, Pult], department: Department) -> None:
    assert (await pair[0].alert(fires("Before"))).status == 200
    await department.shows("Before")
    for killed, left in (pair, pair[::-1]):
        await killed.kill()
        at = time.monotonic()
        names = [f"After{left.port}{number}" for number in range(8)]
        for name in names:
            assert (await left.alert(fires(name))).status == 200
        await _once(department, names)
        took = time.monotonic() - at
        print(f"takeover {took:.1f} s")
        assert took < TAKEOVER
        await killed.start()
        await until("they don't see each other", lambda: _see(*pair))


async def _see(*pults: Pult) -> bool:
    """Each of them knows all, and every lease has exactly one owner."""
    if {await each.metric("pult_replicas") for each in pults} != {float(len(pults))}:
        return False
    leases = [f"lane-{number:02}" for number in range(16)] + ["duties", "telegram"]
    return all([sum([await each.metric("pult_lease_owner", lease=name) for each in pults]) == 1 for name in leases])


async def _once(department: Department, names: list[str]) -> None:
    async def stand() -> bool:
        slack = [shown(message) for message in await department.slack_messages(INCIDENTS) if not message["thread_ts"]]
        telegram = [shown(message) for message in await department.telegram_messages(INCIDENTS_TG)]
        counts = [sum(name in text for text in chat) for name in names for chat in (slack, telegram)]
        assert max(counts) <= 1, dict(zip(names, zip(counts[::2], counts[1::2], strict=True), strict=True))
        return min(counts) == 1

    await until("something was answered 200 and not delivered", stand)
