"""An alert's whole life with a real Alertmanager: fires, is taken, silenced, heard again, over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import real
from tests.department import INCIDENTS, INCIDENTS_TG, Department, Json, shown, until
from tests.pult_fixtures import Make
from tests.pult_process import ALERT_TOKEN, Pult

NAMES = ("DiskFull", "Errors")


@pytest.fixture
def pult(make: Make) -> Pult:
    return make()


@pytest.fixture
def manager(pult: Pult, tmp_path: Path) -> Iterator[real.Program]:
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    config = f"""
route: {{receiver: pult, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}
receivers:
  - name: pult
    webhook_configs:
      - url: {pult.url}/webhooks/alertmanager
        send_resolved: true
        max_alerts: 2
        http_config: {{authorization: {{credentials: {ALERT_TOKEN}}}}}
"""
    with real.alertmanager(folder, config) as program:
        yield program


@pytest.fixture
async def running(pult: Pult, manager: real.Program) -> Pult:
    pult.configure(alertmanager={"urls": [manager.url]}, oncall__rotation=["anna"])
    await pult.start()
    return pult


async def raises(
    department: Department, manager: real.Program, name: str, *, over: bool = False, **labels: str
) -> None:
    """As Prometheus tells it."""
    now = datetime.now(UTC)
    alert: Json = {
        "labels": {"alertname": name, "service": "api", "severity": "critical", **labels},
        "annotations": {"summary": f"{name} of api"},
    }
    if over:
        alert["endsAt"] = (now - timedelta(seconds=1)).isoformat()
    async with department.session.post(f"{manager.url}/api/v2/alerts", json=[alert]) as answer:
        assert answer.status == 200, await answer.text()


async def silences(department: Department, manager: real.Program) -> list[Json]:
    async with department.session.get(f"{manager.url}/api/v2/silences") as answer:
        return [each for each in await answer.json() if each["status"]["state"] == "active"]


async def test_taken_from_telegram_silenced_from_slack_heard_again_and_over(
    running: Pult, department: Department, manager: real.Program
) -> None:
    await raises(department, manager, "DiskFull")
    slack, telegram = await department.shows("DiskFull")
    await department.telegram("press", user=1002, chat=INCIDENTS_TG, button="Ack")
    await department.shows("held by boris")
    await department.slack_shows("boris takes it")
    ident = (await running.ask("anna", "alerts"))["text"].split("a-")[1][:4]
    await department.slack("slash", user="U0ANNA", channel=INCIDENTS, text=f"silence {ident} 6s replacing the disk")
    await department.shows("Silenced: DiskFull")
    (silence,) = await silences(department, manager)
    assert (silence["createdBy"], silence["comment"]) == ("anna", "replacing the disk")
    await department.shows("The silence is over; it still fires")
    await until("Alertmanager still silences", lambda: _no_silence(department, manager))
    await raises(department, manager, "DiskFull", over=True)
    resolved = await department.shows("Resolved: DiskFull")
    assert (resolved[0]["ts"], resolved[1]["message_id"]) == (slack["ts"], telegram["message_id"])
    await department.shows("Resolved after")
    cards = [m for m in await department.slack_messages(INCIDENTS) if not m["thread_ts"]]
    assert len(cards) == 1, [shown(card) for card in cards]
    replies = [m for m in await department.slack_messages(INCIDENTS) if m["thread_ts"]]
    assert {m["thread_ts"] for m in replies} == {slack["ts"]}
    chat = await department.telegram_messages(INCIDENTS_TG)
    assert {m["reply_to"] for m in chat} == {None, telegram["message_id"]}
    assert [m["message_id"] for m in chat if m["reply_to"] is None] == [telegram["message_id"]]
    print("Slack:", *(shown(m).splitlines()[0] for m in [*cards, *replies]), sep="\n  ")


async def _no_silence(department: Department, manager: real.Program) -> bool:
    return not await silences(department, manager)


async def test_a_silence_ended_in_chat_ends_in_alertmanager(
    running: Pult, department: Department, manager: real.Program
) -> None:
    await raises(department, manager, "Errors")
    await department.shows("Errors")
    await department.slack("press", user="U0ANNA", channel=INCIDENTS, button="Silence 1 h")
    await department.shows("Silenced: Errors")
    assert await silences(department, manager)
    ident = (await running.ask("anna", "alerts"))["text"].split("a-")[1][:4]
    answer = await running.ask("boris", f"unsilence {ident}")
    assert answer["ok"], answer
    await until("Alertmanager still silences", lambda: _no_silence(department, manager))
    await department.slack_shows("boris ended the silence")
