"""Promise 5 in Telegram: a chat that is closed says what to mend, and gets what waited once it opens; no restart."""

from tests.department import INCIDENTS_TG, OPS_TG, Department, until
from tests.promises.alerts import fires
from tests.pult_fixtures import Make
from tests.pult_process import Pult

TOPIC = f"telegram:{OPS_TG}/17"
ROUTES = [
    {"match": {"service": "api"}, "to": [f"telegram:{INCIDENTS_TG}"], "page": True},
    {"to": [TOPIC]},
]


async def test_a_kicked_bot_that_is_invited_again_delivers_without_a_restart(
    make: Make, department: Department
) -> None:
    pult = make(routes=ROUTES)
    await pult.start()
    await pult.alert(fires("Before", service="api"))
    await department.telegram_shows("Before")
    await department.telegram("kick", user=1001, chat=INCIDENTS_TG)
    await pult.alert(fires("Waits", service="api"))
    await until("the status does not say what to do", lambda: _says(pult, "invite it again"))
    await department.telegram("bot", user=1001, chat=INCIDENTS_TG, status="member")
    await department.telegram_shows("Waits")
    await until("the status still complains", lambda: _silent_about(pult, "invite it again"))


async def test_a_lost_topic_is_left_for_general_and_said(make: Make, department: Department) -> None:
    pult = make(routes=ROUTES)
    await pult.start()
    await department.telegram("topic", user=1001, chat=OPS_TG, thread=17, state="closed")
    await pult.alert(fires("General", service="web"))
    assert (await department.telegram_shows("General", OPS_TG))["thread"] is None
    await until("the status does not say what to do", lambda: _says(pult, "reopen it, or change the route"))


async def test_a_rich_chat_gets_rich_cards_and_the_menu_is_told_in_both_languages(
    make: Make, department: Department
) -> None:
    pult = make(routes=ROUTES, telegram__rich=[str(INCIDENTS_TG)])
    await pult.start()
    await pult.alert(fires("Rich", service="api"))
    assert (await department.telegram_shows("Rich"))["kind"] == "rich"
    menus = await until("no menu is told", lambda: _menus(department))
    assert all(len(command["description"]) <= 256 for commands in menus.values() for command in commands)
    assert {command["command"] for command in menus["ru"]} == {command["command"] for command in menus[""]}


async def _menus(department: Department) -> dict[str, list[dict[str, str]]] | None:
    found = {one["language_code"]: one["commands"] for one in await department.menus()}
    return found if len(found) == 2 else None


async def _says(pult: Pult, sentence: str) -> bool:
    return sentence in (await pult.ask("anna", "status"))["text"]


async def _silent_about(pult: Pult, sentence: str) -> bool:
    return not await _says(pult, sentence)
