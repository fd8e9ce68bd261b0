"""Promise 1: what was answered 200 is delivered, after any number of kills and failures."""

import asyncio
import random
import secrets

import pytest

from tests.department import INCIDENTS, INCIDENTS_TG, Department, shown, until
from tests.promises.alerts import fires
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import Pult

KILLS = 50


@BOTH
@pytest.mark.timeout(400)
async def test_whatever_was_answered_200_is_delivered_after_kills_at_any_moment(
    make: Make, department: Department
) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    dice, pult = random.Random(seed), make()
    await pult.start(ready=False)
    names = [f"Alert{number:03d}" for number in range(3 * KILLS)]

    async def sender() -> None:
        for name in names:
            await pult.insist(lambda name=name: pult.alert(fires(name)))
            await asyncio.sleep(dice.uniform(0, 0.2))

    async def killer() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0, 0.6))
            await pult.kill()
            await pult.start(ready=dice.random() < 0.3)

    async with asyncio.TaskGroup() as group:
        group.create_task(sender())
        group.create_task(killer())
    await _all_stand(department, names)
    await pult.settles()
    slack = [shown(m) for m in await department.slack_messages(INCIDENTS) if not m["thread_ts"]]
    telegram = [shown(m) for m in await department.telegram_messages(INCIDENTS_TG)]
    assert {name: sum(name in text for text in slack) for name in names} == dict.fromkeys(names, 1)
    assert sum(sum(name in text for text in telegram) for name in names) <= len(names) + KILLS
    assert (await pult.audited()) == []


async def test_429s_5xx_and_dropped_connections_only_delay(pult: Pult, department: Department) -> None:
    names = [f"Alert{number:03d}" for number in range(9)]
    for number, trouble in enumerate(({"status": 503}, {"drop": True}, {"status": 500})):
        for mode in ("before", "after"):
            await department.slack("fail", method="chat.postMessage", mode=mode, **trouble)
        await department.telegram("fail", method="sendMessage", mode="before", **trouble)
        for name in names[number * 3 : number * 3 + 3]:
            assert (await pult.alert(fires(name))).status == 200
    await department.telegram("fail", method="sendMessage", mode="before", retry_after=1)
    await _all_stand(department, names)


@BOTH
async def test_an_outage_of_both_chats_and_a_kill_in_it_lose_nothing(pult: Pult, department: Department) -> None:
    for platform, fault in (("slack", "drop"), ("telegram", "error")):
        await department.fault(fault, platform)
    names = [f"Alert{number:03d}" for number in range(5)]
    for name in names:
        assert (await pult.alert(fires(name))).status == 200
    await pult.kill()
    await pult.start(ready=False)
    await department.recovers()
    await _all_stand(department, names)


async def _all_stand(department: Department, names: list[str]) -> None:
    async def missing_nothing() -> bool:
        slack = [shown(message) for message in await department.slack_messages(INCIDENTS)]
        telegram = [shown(message) for message in await department.telegram_messages(INCIDENTS_TG)]
        return all(any(name in text for text in chat) for name in names for chat in (slack, telegram))

    await until("something was answered 200 and never delivered", missing_nothing, 60)
