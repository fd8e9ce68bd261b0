"""Generated rules in a real Prometheus that scrapes a small service: they fire, and end, as they are meant to.

The SLO's window is an hour and a scrape comes every second, so the windows are of 4 seconds and more; nothing else is
shortened.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import aiohttp
import yaml

from bot.cli.slo import written
from bot.domain.slo import Slo
from bot.domain.slorules import groups
from tests import real
from tests.department import Json, until
from tests.exporter import Exporter
from tests.slo.proofs import availability

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SLOS = (
    availability(objective=0.99, window=HOUR, min_requests=50),
    Slo("bots", "backlog", "freshness", 1.0, HOUR, "", "oldest_unprocessed_seconds", threshold=300.0),
)
STILL = "slo:sli_error:ratio_rate30s > 0.06"
"""The long window of the slower page (a burn of 6 for 1 %) still burns."""


class Service(Exporter):
    """20 requests between two looks, of which ``failing`` fail, and a queue."""

    def __init__(self) -> None:
        super().__init__(self.counts)
        self.failing, self.oldest, self.good, self.bad = 0.0, 0.0, 0.0, 0.0

    def counts(self) -> str:
        self.good += 20 * (1 - self.failing)
        self.bad += 20 * self.failing
        lines = (
            f'http_requests_total{{code="200"}} {self.good}',
            f'http_requests_total{{code="503"}} {self.bad}',
            f"oldest_unprocessed_seconds {self.oldest}",
        )
        return "\n".join(lines) + "\n"


class Watched:
    """What the Prometheus at *url* says."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def firing(self) -> set[tuple[str, str, str]]:
        found = (await self.get("alerts"))["alerts"]
        wanted = ("alertname", "severity", "service")
        return {
            (str(each["labels"][wanted[0]]), each["labels"][wanted[1]], each["labels"][wanted[2]])
            for each in found
            if each["state"] == "firing"
        }

    async def value(self, promql: str) -> float | None:
        found = (await self.get("query", query=promql))["result"]
        return float(found[0]["value"][1]) if found else None

    async def healthy(self) -> bool:
        found = [rule for group in (await self.get("rules"))["groups"] for rule in group["rules"]]
        assert {rule["health"] for rule in found} <= {"ok", "unknown"}, found
        return bool(found) and {rule["health"] for rule in found} == {"ok"}

    async def get(self, what: str, **params: str) -> Json:
        return await real.told(self.session, self.url, what, **params)


async def test_alerts_fire_and_end_in_a_real_prometheus(tmp_path: Path) -> None:
    service, rules = Service(), tmp_path / "slo.yml"
    rules.write_text(written(groups(SLOS, scrape=SECOND)))
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "api", "static_configs": [{"targets": [f"127.0.0.1:{service.port}"]}]}],
    }
    async with service.serving(), aiohttp.ClientSession() as session:
        with real.prometheus(tmp_path, yaml.safe_dump(config)) as program:
            await _story(service, Watched(session, program.url))


async def _story(service: Service, seen: Watched) -> None:
    page, broken = ("SloBurn", "critical", "api"), ("SloBroken", "critical", "bots")
    await until("nothing is measured", lambda: seen.value("slo:sli_error:ratio_rate10s >= bool 0"))
    await until("some rule is not evaluated well", seen.healthy)
    assert await seen.firing() == set()
    service.failing, service.oldest = 0.5, 301.0
    await until("no page", lambda: _among(seen, page, broken))
    await until("the whole window stands still", lambda: seen.value("slo:sli_errors:increase1h > 100"))
    service.failing, service.oldest = 0.0, 0.0
    await until("the page does not end", lambda: _without(seen, page, broken))
    assert await seen.value(STILL), "the short window ended it, long before the long one"
    assert ("SloBurn", "warning", "api") in await seen.firing(), "a ticket takes longer"
    await until("the whole window is not what was counted", lambda: _agreed(service, seen))
    left = await seen.value("slo:period_error_budget_remaining:ratio")
    assert left is not None
    assert left < 0, "far more failed than one of a hundred"


async def _agreed(service: Service, seen: Watched) -> bool:
    """To two looks: where an outage begins and ends between them, a window of four seconds guesses."""
    recorded = await seen.value("slo:sli_errors:increase1h")
    return recorded is not None and abs(recorded - service.bad) <= 20


async def _among(seen: Watched, *wanted: tuple[str, str, str]) -> bool:
    return set(wanted) <= await seen.firing()


async def _without(seen: Watched, *unwanted: tuple[str, str, str]) -> bool:
    return not set(unwanted) & await seen.firing()
