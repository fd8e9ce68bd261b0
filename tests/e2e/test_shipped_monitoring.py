"""The files of deploy/monitoring as they are shipped, in a real Prometheus and Alertmanager, in front of a real pult.

Shortened for the test, and nothing else: the hold and the windows of rules/http.yml (minutes become seconds), the waits
of alertmanager.yml, the intervals of prometheus.yml. Addresses and the token's file are the test's own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests import real
from tests.department import Department, Json, until
from tests.deploy.monitoring import MONITORING, RULES, rules
from tests.exporter import Exporter
from tests.pult_process import ALERT_TOKEN, Pult

AGAIN = "--rules.alert.resend-delay=1s"
"""A starting Prometheus evaluates before it has found its Alertmanager; what fired then is sent a minute later."""
SECONDS = {"for: 2m": "for: 0s", "keep_firing_for: 3m": "keep_firing_for: 0s", "[90s]": "[2s]", "[5m]": "[3s]"}


class Api(Exporter):
    """A service that counts its requests, as a real Prometheus scrapes them: 200 more at each look."""

    def __init__(self) -> None:
        super().__init__(self.counts)
        self.failing, self._good, self._bad = 0.0, 0.0, 0.0

    def counts(self) -> str:
        self._good += 200 * (1 - self.failing)
        self._bad += 200 * self.failing
        return f'http_requests_total{{code="200"}} {self._good}\nhttp_requests_total{{code="503"}} {self._bad}\n'


def alertmanager_config(pult: Pult, folder: Path) -> str:
    (folder / "token").write_text(ALERT_TOKEN)
    text = (MONITORING / "alertmanager.yml").read_text()
    text = text.replace("http://pult.pult.svc", pult.url)
    text = text.replace("/etc/alertmanager/secrets/pult-token", str(folder / "token"))
    text = re.sub(r"group_wait: \d+m?s?\n", "group_wait: 100ms\n", text)
    return re.sub(r"group_interval: \d+m?s?\n", "group_interval: 1s\n", text)


def prometheus_config(folder: Path, api: Api, pult: Pult, manager: real.Program) -> str:
    for path in RULES:
        text = path.read_text()
        for shipped, short in SECONDS.items() if path.name == "http.yml" else ():
            assert shipped in text
            text = text.replace(shipped, short)
        (folder / path.name).write_text(text)
    config: dict[str, Any] = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "250ms", "scrape_timeout": "250ms", "evaluation_interval": "250ms"}
    config["rule_files"] = [str(folder / path.name) for path in RULES]
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [_address(manager.url)]}]}]
    (scrape,) = (job for job in config["scrape_configs"] if job["job_name"] == "pult")
    scrape["static_configs"][0]["targets"] = [_address(pult.url)]
    jobs = {"api": api.port, "alertmanager": int(manager.url.rpartition(":")[2])}
    others = [{"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{at}"]}]} for name, at in jobs.items()]
    return yaml.safe_dump(config | {"scrape_configs": [scrape, *others]})


def _address(url: str) -> str:
    return url.removeprefix("http://")


async def test_shipped_rules_reach_people_and_the_watchdog_reaches_pult(
    pult: Pult, department: Department, tmp_path: Path
) -> None:
    api, folders = Api(), [tmp_path / "am", tmp_path / "prom"]
    for folder in folders:
        folder.mkdir()
    async with api.serving():
        with real.alertmanager(folders[0], alertmanager_config(pult, folders[0])) as manager:
            config = prometheus_config(folders[1], api, pult, manager)
            with real.prometheus(folders[1], config, AGAIN) as prometheus:
                api.failing = 0.2
                card, _ = await department.shows("api in nyc2: 20% of requests fail")
                await _runs_well(department, prometheus)
                api.failing = 0.0
                resolved, _ = await department.shows("Resolved: ErrorRateHigh")
    assert resolved["ts"] == card["ts"]
    whole = str(await department.slack_messages(text="ErrorRateHigh"))
    assert "/docs/runbooks/ErrorRateHigh.md" in whole
    assert "Watchdog" not in str(await department.slack_messages())


async def _runs_well(department: Department, prometheus: real.Program) -> None:
    """Every shipped rule is loaded and evaluates; pult heard the Watchdog, and nothing is wrong with pult."""
    found = await real.told(department.session, prometheus.url, "rules")
    loaded = [rule for group in found["groups"] for rule in group["rules"]]
    assert len(loaded) == len(list(rules()))
    await until("some rule was not evaluated well", lambda: _healthy(department, prometheus))
    heard = 'pult_webhook_received_total{job="pult", source="alertmanager", result=~"accepted|duplicate"}'
    await until("Prometheus does not see what pult heard", lambda: _value(department, prometheus, f"sum({heard}) > 1"))
    active = (await real.told(department.session, prometheus.url, "alerts"))["alerts"]
    firing = {each["labels"]["alertname"] for each in active if each["state"] == "firing"}
    assert firing == {"Watchdog", "ErrorRateHigh"}


async def _healthy(department: Department, prometheus: real.Program) -> bool:
    found = await real.told(department.session, prometheus.url, "rules")
    return {rule["health"] for group in found["groups"] for rule in group["rules"]} == {"ok"}


async def _value(department: Department, prometheus: real.Program, query: str) -> list[Json]:
    return list((await real.told(department.session, prometheus.url, "query", query=query))["result"])
