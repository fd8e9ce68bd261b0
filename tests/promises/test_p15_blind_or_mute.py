"""Promise 15: if monitoring goes silent, or a page's destination takes nothing, another channel says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.department import INCIDENTS, INCIDENTS_TG, OPS, Department, Json, shown, until
from tests.promises.alerts import alert, fires, notification
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make

SLACK_ONLY = [{"to": ["slack:C0INC"], "page": True}]
SOON = "2s"


def watchdog(*, resolved: bool = False) -> Json:
    dog = alert("Watchdog", severity="none", service="", starts=datetime.now(UTC), labels={"region": "nyc2"})
    return notification({**dog, "status": "resolved"} if resolved else dog)


@BOTH
async def test_a_page_that_slack_does_not_take_is_shown_elsewhere_with_the_reason(
    make: Make, department: Department
) -> None:
    pult = make(oncall__reroute_after=SOON, oncall__rotation=["anna"], chat__approvals=["telegram:-1001000000001"])
    pult.configure(routes=SLACK_ONLY)
    await pult.start()
    await department.slack("archive", user="U0ANNA", channel=INCIDENTS)
    await pult.alert(fires("Burns"))
    await department.telegram_shows("Burns", INCIDENTS_TG)
    notice = await department.telegram_shows("Pages do not reach", INCIDENTS_TG)
    assert "slack:C0INC" in shown(notice)
    assert "archived" in shown(notice)
    assert "C0INC" in (await pult.ask("anna", "status"))["text"]
    assert "канал в архиве: верните его из архива" in (await pult.ask("boris", "status"))["text"], "boris reads Russian"
    await department.slack("archive", user="U0ANNA", channel=INCIDENTS, archived=False)
    burns = await department.telegram_messages(INCIDENTS_TG, "Burns")
    assert len(burns) == 1, "shown elsewhere once"


@BOTH
async def test_when_a_dead_platform_is_back_the_other_hears_of_it(make: Make, department: Department) -> None:
    pult = make(oncall__reroute_after=SOON, oncall__rotation=[], chat__approvals=["telegram:-1001000000001"])
    pult.configure(routes=SLACK_ONLY)
    await pult.start()
    await department.fault("drop", "slack")
    await pult.alert(fires("Burns"))
    await department.telegram_shows("Pages do not reach", INCIDENTS_TG)
    await department.recovers()
    await department.slack_shows("Burns", INCIDENTS)
    await department.telegram_shows("again, after", INCIDENTS_TG)


async def test_a_page_that_arrives_is_shown_nowhere_else(make: Make, department: Department) -> None:
    pult = make(oncall__reroute_after="1s", oncall__rotation=[], chat__approvals=["telegram:-1001000000001"])
    pult.configure(routes=SLACK_ONLY)
    await pult.start()
    await pult.alert(fires("Burns"))
    await department.slack_shows("Burns", INCIDENTS)
    await pult.alert(fires("Later"))
    await department.slack_shows("Later", INCIDENTS)
    assert not await department.telegram_messages(INCIDENTS_TG)


async def test_a_russian_chat_hears_in_russian_what_to_mend(make: Make, department: Department) -> None:
    pult = make(oncall__reroute_after=SOON, oncall__rotation=["anna"], chat__approvals=["telegram:-1001000000001"])
    pult.configure(routes=SLACK_ONLY, chat__locale="ru")
    await pult.start()
    await department.slack("archive", user="U0ANNA", channel=INCIDENTS)
    await pult.alert(fires("Burns"))
    notice = await department.telegram_shows("slack:C0INC", INCIDENTS_TG)
    assert "канал в архиве: верните его из архива или измените маршрут" in shown(notice)
    assert "archived" not in shown(notice)


@BOTH
async def test_a_silent_watchdog_pages_and_its_return_resolves(make: Make, department: Department) -> None:
    pult = make(oncall__watchdog=SOON)
    await pult.start()
    assert (await pult.alert(watchdog())).status == 200
    assert "heard" in (await pult.ask("anna", "status"))["text"]
    slack, telegram = await department.shows("MonitoringBlind")
    assert "nyc2" in shown(slack)
    assert "nyc2" in shown(telegram)
    await pult.restart()
    await pult.alert(watchdog())
    await department.shows("Resolved: MonitoringBlind")
    assert not await department.slack_messages(OPS, "Watchdog"), "the Watchdog itself is never shown"


@pytest.mark.alone
async def test_the_canary_flies_and_says_how_long_it_took(make: Make, department: Department) -> None:
    pult = make()
    await pult.start()

    async def flown() -> bool:
        return "Webhook to chat" in (await pult.ask("anna", "status"))["text"]

    await until("the canary does not fly", flown)
    assert 0 < await pult.metric("pult_canary_seconds") < 15
    assert not await department.slack_messages("", "PultCanary")
    assert "PultCanary" not in (await pult.ask("anna", "alerts"))["text"]
