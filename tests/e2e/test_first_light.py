"""The main job with real programs: a real Prometheus and Alertmanager, strict Slack and Telegram, kill -9 between."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from bot.cli.demo import program
from bot.simulator.kubernetes import images
from tests import real
from tests.department import OPS, Department, Json
from tests.exporter import Exporter
from tests.pult_fixtures import Make
from tests.pult_process import ALERT_TOKEN, Pult

RULES = """
groups:
  - name: e2e
    interval: 500ms
    rules:
      - alert: QueueStuck
        expr: queue_oldest_seconds > 300
        labels: {severity: critical, service: api}
        annotations:
          summary: "the oldest message waits {{ $value }} s"
          runbook_url: https://runbooks.example/queue
"""


class Queue(Exporter):
    """One metric, for a real Prometheus to scrape."""

    def __init__(self) -> None:
        super().__init__(lambda: f"queue_oldest_seconds {self.seconds}\n")
        self.seconds = 0.0


def alertmanager_config(pult: Pult) -> str:
    return f"""
route: {{receiver: pult, group_by: [alertname], group_wait: 200ms, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: pult
    webhook_configs:
      - url: {pult.url}/webhooks/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: {ALERT_TOKEN}}}}}
"""


def prometheus_config(rules: Path, exporter: Exporter, alertmanager: real.Program) -> str:
    return f"""
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager.url.removeprefix("http://")}"]}}]}}]}}
scrape_configs:
  - job_name: queue
    static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]
"""


async def test_a_real_alert_is_edited_on_resolve_after_kill_9(
    pult: Pult, department: Department, tmp_path: Path
) -> None:
    exporter, rules = Queue(), tmp_path / "rules.yml"
    rules.write_text(RULES)
    am_folder, prom_folder = tmp_path / "alertmanager", tmp_path / "prometheus"
    am_folder.mkdir()
    prom_folder.mkdir()
    async with exporter.serving():
        with real.alertmanager(am_folder, alertmanager_config(pult)) as manager:
            config = prometheus_config(rules, exporter, manager)
            with real.prometheus(prom_folder, config):
                exporter.seconds = 400
                slack, telegram = await department.shows("QueueStuck")
                await pult.settles()
                await pult.kill()
                exporter.seconds = 0
                await asyncio.sleep(2)  # the resolve is sent into nothing; Alertmanager comes again
                await pult.start()
                resolved = await department.shows("Resolved: QueueStuck")
    assert (resolved[0]["ts"], resolved[1]["message_id"]) == (slack["ts"], telegram["message_id"])
    cards = await department.cards("QueueStuck")
    assert len(cards) == 2
    for name, message in zip(("Slack", "Telegram"), cards, strict=True):
        print(f"{name}:", *(_first(revision) for revision in message["revisions"]), sep="\n  ")


async def test_two_people_on_two_platforms_approve_with_a_kill_9_between(make: Make, department: Department) -> None:
    pult = make(policy__promote={"approvals": 2})
    await pult.start()
    await pult.release({"service": "api", "version": "1.8.0", "status": "ready", **_image()})
    ident = await pult.proposed("anna", "promote api 1.8.0")
    await department.slack("press", user="U0CHEN", channel=OPS, button="Approve")
    await department.slack_shows("1 of 2: chen", OPS)
    await pult.restart()
    await department.telegram("press", user=1002, chat=1002, button="Одобрить")
    await department.telegram("press", user=1002, chat=1002, button="Подтвердить: Одобрить")
    await pult.becomes(ident, "succeeded")
    world = await department.world()
    assert world["services"]["api"]["production"]["nyc2"]["version"] == "1.8.0"
    said = [(deed["person"], deed["platform"], deed["action"], deed["result"]) for deed in await pult.audited()]
    assert ("chen", "slack", "approve", "waiting") in said
    assert ("boris", "telegram", "approve", "approved") in said
    assert department.patches("api") == 1
    status, out, _ = await pult.run("audit", "verify")
    assert status == 0
    print(out)


async def test_the_demo_holds() -> None:
    assert await asyncio.to_thread(program.demo, headless=True, speed=None, port=0) == 0


def _image() -> Json:
    return {"image": images.image("api", "1.8.0"), "digest": images.digest("api", "1.8.0")}


def _first(revision: Json) -> str:
    return json.dumps(revision["text"].strip().splitlines()[0], ensure_ascii=False)
