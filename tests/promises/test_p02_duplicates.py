"""Promise 2: no duplicate on Slack; on Telegram at most one per crash or ambiguous answer; none otherwise."""

import asyncio

import pytest

from tests.department import INCIDENTS, INCIDENTS_TG, Department, until
from tests.postgres import Server
from tests.promises.alerts import fires, resolves
from tests.promises.stores import BOTH
from tests.pult_process import Pult

LOST_ANSWERS = ({"drop": True}, {"status": 500}, {"status": 503})
UNAMBIGUOUS = (
    {"mode": "before", "retry_after": 1},
    {"mode": "before", "drop": True},
    {"mode": "before", "status": 502},
)


@pytest.mark.parametrize("lost", LOST_ANSWERS, ids=str)
async def test_a_lost_answer_makes_no_duplicate_on_slack(pult: Pult, department: Department, lost: dict) -> None:
    await department.slack("fail", method="chat.postMessage", mode="after", **lost)
    await department.telegram("fail", method="sendMessage", mode="after", **lost)
    await pult.alert(fires("Lost"))
    await department.shows("Lost")
    await _goes_on(pult, department)
    assert len(await department.slack_messages(INCIDENTS, "Lost")) == 1
    assert 1 <= len(await department.telegram_messages(INCIDENTS_TG, "Lost")) <= 2


@BOTH
async def test_a_kill_between_post_and_answer_makes_no_duplicate_on_slack(pult: Pult, department: Department) -> None:
    await _late_answers(department, 5)
    await pult.alert(fires("Cut"))
    await department.shows("Cut")
    await pult.restart()
    await _goes_on(pult, department)
    assert len(await department.slack_messages(INCIDENTS, "Cut")) == 1
    assert 1 <= len(await department.telegram_messages(INCIDENTS_TG, "Cut")) <= 2
    await pult.alert(resolves("Cut"))
    slack, _ = await department.shows("Resolved: Cut")
    assert len(slack["revisions"]) > 1


@BOTH
async def test_a_restart_and_a_refusal_make_no_duplicate_anywhere(pult: Pult, department: Department) -> None:
    for trouble in UNAMBIGUOUS:
        await department.telegram("fail", method="sendMessage", **trouble)
    await pult.alert(fires("Once"))
    await department.shows("Once")
    await _goes_on(pult, department)
    await pult.restart()
    assert (await pult.alert(fires("Once"))).body["status"] == "duplicate"
    await _goes_on(pult, department, "Later")
    assert len(await department.slack_messages(INCIDENTS, "Once")) == 1
    assert len(await department.telegram_messages(INCIDENTS_TG, "Once")) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_store_that_goes_away_while_a_message_is_posted_makes_no_duplicate(
    pult: Pult, department: Department, postgres_server: Server
) -> None:
    await _late_answers(department, 3)
    await pult.alert(fires("Orphan"))
    await department.shows("Orphan")
    await asyncio.to_thread(postgres_server.stop)
    try:
        calls = await _sent(department)
        await until("no lane noticed", lambda: _noticed(pult))
    finally:
        await asyncio.to_thread(postgres_server.start)
    await until("the store is not back", lambda: _accepts(pult))
    await _goes_on(pult, department)
    assert await _sent(department) == calls + 1
    assert len(await department.slack_messages(INCIDENTS, "Orphan")) == 1
    assert len(await department.telegram_messages(INCIDENTS_TG, "Orphan")) == 1


async def _late_answers(department: Department, delay: float) -> None:
    """Posts are done at once and answered *delay* seconds later: in the channel and in the private chat of who is
    on call, whichever goes first."""
    for _ in range(2):
        await department.slack("fail", method="chat.postMessage", mode="after", delay=delay)
        await department.telegram("fail", method="sendMessage", mode="after", delay=delay)


async def _noticed(pult: Pult) -> bool:
    """Both lanes had their message posted and could not record it."""
    warned = str([line for line in pult.logged() if line["level"] == "warning"])
    return "slack:C0INC" in warned and "telegram:-1001000000001" in warned


async def _accepts(pult: Pult) -> bool:
    return (await pult.alert(fires("Orphan"))).status == 200


async def _goes_on(pult: Pult, department: Department, name: str = "Next") -> None:
    """Another alert goes through both lanes: whatever was to be said before it has been said."""
    await pult.alert(fires(name))
    await department.shows(name)


async def _sent(department: Department) -> int:
    """How often a message to the incidents' chat was asked for."""
    calls = await department.calls("telegram", "sendMessage")
    return sum(call["args"]["chat_id"] == str(INCIDENTS_TG) for call in calls)
