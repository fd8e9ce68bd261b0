"""On call, in a running pult: who is woken, who is woken next, also when pult is killed in between."""

from __future__ import annotations

import pytest

from tests.department import INCIDENTS, OPS, Department, shown, until
from tests.promises.alerts import fires, resolves
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import Pult

ANNA_TG, BORIS_TG, CHEN_TG = 1001, 1002, 1003


@pytest.fixture
def pult(make: Make) -> Pult:
    return make(
        oncall={"rotation": ["anna"], "escalate_after": "4s", "levels": [["person:boris"], ["slack:C0OPS"]]},
    )


@BOTH
async def test_nobody_takes_it_so_the_next_is_woken_though_pult_was_killed_meanwhile(
    pult: Pult, department: Department
) -> None:
    await pult.start()
    await pult.alert(fires("Burns"))
    await department.telegram_shows("Burns", ANNA_TG)
    await department.slack_shows("Burns", "D0ANNA")
    await pult.settles()
    assert not await department.telegram_messages(BORIS_TG)
    await pult.kill()
    await pult.start()
    await department.telegram_shows("Burns", BORIS_TG)
    await department.slack_shows("now told: boris", INCIDENTS)
    await department.slack_shows("Burns", OPS)
    await department.telegram("press", user=BORIS_TG, chat=BORIS_TG, button="Беру")
    await department.shows("held by boris")
    said = await department.slack_shows("boris takes it", INCIDENTS)
    assert said["thread_ts"]
    await pult.alert(resolves("Burns"))
    await department.shows("Resolved: Burns")


async def test_who_takes_over_is_woken_and_both_hear_of_it(pult: Pult, department: Department) -> None:
    await pult.start()
    assert "anna" in (await pult.ask("boris", "oncall", locale="en"))["text"]
    assert (await pult.ask("chen", "oncall take 2h"))["ok"]
    assert "chen on call until" in (await pult.ask("vera", "oncall", locale="en"))["text"]
    await pult.alert(fires("Burns"))
    await department.telegram_shows("Burns", CHEN_TG)
    assert not await department.telegram_messages(ANNA_TG, "Burns")
    denied = await pult.ask("vera", "oncall take 2h", locale="en")
    assert not denied["ok"]
    assert [deed["result"] for deed in await pult.audited() if deed["action"] == "oncall"] == ["took over", "denied"]


async def test_a_person_is_paged_and_their_answer_ends_it(pult: Pult, department: Department) -> None:
    await pult.start()
    asked = await pult.ask("anna", "page boris the database is on fire", locale="en")
    assert asked["ok"], asked
    card = await department.telegram_shows("the database is on fire", BORIS_TG)
    assert "anna" in shown(card)
    await department.telegram("press", user=BORIS_TG, chat=BORIS_TG, button="Беру")

    async def over() -> bool:
        return "Nothing is firing" in (await pult.ask("anna", "alerts", locale="en"))["text"]

    await until("the page goes on", over)
    assert not await department.slack_messages(OPS, "on fire")
