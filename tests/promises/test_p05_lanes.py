"""Promise 5: one destination's trouble delays no other destination."""

from tests.department import INCIDENTS, INCIDENTS_TG, OPS, Department, until
from tests.promises.alerts import fires
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import Pult

APART = [
    {"match": {"service": "api"}, "to": ["telegram:-1001000000001", "slack:C0INC"]},
    {"to": ["telegram:-1001000000002/17", "slack:C0OPS"]},
]
"""What concerns the API goes to the first two, all else to the others."""


@BOTH
async def test_a_429_holds_only_its_own_chat(make: Make, department: Department) -> None:
    pult = make(routes=APART)
    await pult.start()
    await department.telegram("fail", method="sendMessage", mode="before", retry_after=600)
    await pult.alert(fires("Held", service="api"))
    await department.slack_shows("Held", INCIDENTS)
    await until("nothing was refused", lambda: _refused(department))
    await pult.alert(fires("Free", service="web"))
    await department.telegram_shows("Free", -1001000000002)
    assert not await department.telegram_messages(INCIDENTS_TG)


async def test_a_dead_platform_holds_neither_the_other_nor_the_console(make: Make, department: Department) -> None:
    pult = make()
    await pult.start()
    for number, (platform, fault) in enumerate((("slack", "drop"), ("telegram", "drop"))):
        await department.fault(fault, platform)
        name = f"Alone{number}"
        await pult.alert(fires(name))
        if platform == "slack":
            await department.telegram_shows(name)
        else:
            await department.slack_shows(name)
        assert name in (await pult.ask("anna", "alerts"))["text"]
        await department.recovers()
        await department.shows(name)


@BOTH
async def test_what_one_channel_loses_the_others_keep(make: Make, department: Department) -> None:
    pult = make(routes=APART)
    await pult.start()
    await department.slack("archive", user="U0ANNA", channel=INCIDENTS)
    await department.telegram("kick", user=1001, chat=INCIDENTS_TG)
    await pult.alert(fires("Gone", service="api"))
    await pult.alert(fires("Kept", service="web"))
    await department.slack_shows("Kept", OPS)
    await department.telegram_shows("Kept", -1001000000002)
    await until("the status does not name them", lambda: _named(pult))
    await department.slack("archive", user="U0ANNA", channel=INCIDENTS, archived=False)
    await until("the refused card is not kept", lambda: _kept(pult))


async def test_a_group_that_moves_is_followed(make: Make, department: Department) -> None:
    pult = make(routes=APART)
    await pult.start()
    await pult.alert(fires("Before", service="api"))
    await department.telegram_shows("Before")
    moved = (await department.telegram("migrate", user=1001, chat=INCIDENTS_TG))["chat"]
    await pult.alert(fires("After", service="api"))
    await department.telegram_shows("After", moved)
    await pult.alert(fires("Else", service="web"))
    await department.telegram_shows("Else", -1001000000002)


async def _refused(department: Department) -> bool:
    return any(call["status"] == 429 for call in await department.calls("telegram", "sendMessage"))


async def _kept(pult: Pult) -> bool:
    return await pult.metric("pult_outbox_depth", destination=f"slack:{INCIDENTS}") == 1


async def _named(pult: Pult) -> bool:
    text = (await pult.ask("anna", "status"))["text"]
    return "slack:C0INC" in text and "telegram:-1001000000001" in text
