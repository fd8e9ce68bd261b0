"""Promise 6: a command that was received is answered once, or its failure is, also across a restart."""

from tests.department import OPS, Department, holds, until
from tests.promises.alerts import fires
from tests.promises.stores import BOTH
from tests.pult_process import Pult


@BOTH
async def test_what_was_asked_before_a_kill_is_answered_once_after_it(pult: Pult, department: Department) -> None:
    await department.fault("slow", "prometheus", delay=3)
    asked = await department.slack("slash", user="U0ANNA", channel=OPS, text="slo api")
    assert asked["acked"]
    await department.telegram("say", user=1001, text="/slo api")
    await until("Telegram's question was not taken", lambda: _stored(pult, 2))
    await pult.kill()
    await department.recovers()
    await pult.start()
    await until("Slack is not answered", lambda: _slack(department, "U0ANNA", "availability"))
    await until("Telegram is not answered", lambda: _telegram(department, "availability"))
    await _settled(pult, department)
    assert len(await _slack(department, "U0ANNA", "availability")) == 1
    assert len(await _telegram(department, "availability")) == 1


async def test_a_failure_is_answered_once_too(pult: Pult, department: Department) -> None:
    await department.fault("drop", "kubernetes")
    await department.slack("slash", user="U0ANNA", channel=OPS, text="restart api")
    await department.telegram("say", user=1001, text="/restart api")
    await until("Slack is not answered", lambda: _slack(department, "U0ANNA", "did not work"))
    await until("Telegram is not answered", lambda: _telegram(department, "did not work"))
    await pult.settles()
    await pult.restart()
    await _settled(pult, department)
    assert len(await _slack(department, "U0ANNA", "did not work")) == 1
    assert len(await _telegram(department, "did not work")) == 1


async def test_a_question_that_slack_delivers_twice_is_answered_once(pult: Pult, department: Department) -> None:
    await department.slack("settings", ack_seconds=0.001)
    await department.slack("say", user="U0ANNA", channel=OPS, text="status", mention=True)
    await until("not answered", lambda: department.slack_messages(OPS, "bots"))
    await until("not delivered twice", lambda: _twice(department))
    await department.slack("settings", ack_seconds=3)
    await _settled(pult, department)
    assert len([m for m in await department.slack_messages(OPS) if holds(m, "bots")]) == 1


async def _stored(pult: Pult, count: int) -> bool:
    return pult.count("requests") >= count


async def _slack(department: Department, user: str, text: str) -> list[dict]:
    return [m for m in await department.slack_seen(user) if holds(m, text)]


async def _telegram(department: Department, text: str) -> list[dict]:
    return await department.telegram_messages(1001, text)


async def _twice(department: Department) -> bool:
    found = (await department._get("/slack/_drive/deliveries"))["deliveries"]
    return any(len(each["attempts"]) > 1 for each in found if each["kind"] == "events_api")


async def _settled(pult: Pult, department: Department) -> None:
    """Something later is delivered to the same chats: what was to be said before has been said."""
    await pult.alert(fires("Later", severity="warning"))
    await department.slack_shows("Later", OPS)
    await department.slack("slash", user="U0ANNA", channel=OPS, text="whoami")
    await department.telegram("say", user=1001, text="/whoami")
    await until("no whoami on Slack", lambda: _slack(department, "U0ANNA", "You are"))
    await until("no whoami on Telegram", lambda: _telegram(department, "You are"))
