"""Promise 17: on SIGTERM it stops accepting, finishes or hands over, exits 0, and loses nothing."""

import asyncio

import aiohttp
import pytest

from tests.department import INCIDENTS, INCIDENTS_TG, OPS, Department, until
from tests.promises.alerts import fires
from tests.promises.stores import ALSO_TWO, BOTH
from tests.pult_process import Pult


@BOTH
async def test_stopped_in_the_middle_of_work_it_exits_0_and_loses_nothing(pult: Pult, department: Department) -> None:
    for platform in ("slack", "telegram"):
        await department.fault("slow", platform, delay=0.3)
    taken: list[str] = []
    sending = asyncio.create_task(_send(pult, taken))
    await until("nothing was sent", lambda: _at_least(taken, 15))
    assert await pult.stop() == 0
    await sending
    assert not await _open(pult)
    await department.recovers()
    await pult.start()
    for name in taken:
        await department.shows(f"{name} ")
    for name in taken:
        assert len(await department.slack_messages(INCIDENTS, f"{name} ")) == 1
        assert len(await department.telegram_messages(INCIDENTS_TG, f"{name} ")) == 1


@ALSO_TWO
async def test_a_destination_that_hangs_does_not_hold_up_the_exit(make, department: Department) -> None:
    pult = make(server__drain_seconds=1)
    await pult.start()
    await department.fault("slow", "slack", delay=60)
    await pult.alert(fires("Hanging"))
    await department.telegram_shows("Hanging")
    assert await pult.stop() == 0
    await department.recovers()
    await pult.start()
    await department.slack_shows("Hanging")


@ALSO_TWO
async def test_an_operation_under_way_is_taken_up_by_the_next_start(pult: Pult, department: Department) -> None:
    before = department.deployment("worker")["metadata"]["generation"]
    ident = await pult.proposed("anna", "restart worker")
    await pult.ask("anna", f"approve {ident}")
    assert await pult.stop() == 0
    await pult.start()
    await pult.becomes(ident, "succeeded")
    assert department.deployment("worker")["metadata"]["generation"] == before + 1


@ALSO_TWO
async def test_a_command_taken_before_the_stop_is_answered_after_it(pult: Pult, department: Department) -> None:
    await department.fault("slow", "prometheus", delay=3)
    await department.slack("slash", user="U0ANNA", channel=OPS, text="slo api")
    assert await pult.stop() == 0
    await department.recovers()
    await pult.start()
    await until("Slack is not answered", lambda: department.slack_seen("U0ANNA"))
    assert len(await department.slack_seen("U0ANNA")) == 1


@ALSO_TWO
@pytest.mark.parametrize("ready", [False, True])
async def test_stopped_right_after_the_start_it_exits_0(make, ready: bool) -> None:
    pult = make()
    await pult.start(ready=ready)
    assert await pult.stop() == 0
    assert "Traceback" not in pult.log_text()


async def _send(pult: Pult, taken: list[str]) -> None:
    """Alerts as fast as they are taken, until nobody answers any more."""
    for number in range(10_000):
        name = f"Term{number:04d}"
        try:
            answer = await pult.alert(fires(name))
        except aiohttp.ClientError:
            return
        assert answer.status in {200, 503}
        if answer.status == 200:
            taken.append(name)
        await asyncio.sleep(0.02)


async def _at_least(taken: list[str], count: int) -> bool:
    return len(taken) >= count


async def _open(pult: Pult) -> bool:
    try:
        await pult.alert(fires("Nobody"))
    except aiohttp.ClientError:
        return False
    return True
