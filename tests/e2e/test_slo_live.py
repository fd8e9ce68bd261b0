"""pult's SLO figures beside the same ones computed by hand from the raw counters that a real Prometheus has scraped."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.prometheus.metrics import open_metrics
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.invariants import Invariant
from bot.domain.slo import BURN_WINDOWS, Gap, Slo, Standing, latency_queries
from bot.engine.budgets import PrometheusBudgets
from bot.engine.meters import Meters
from tests import real
from tests.exporter import Exporter

LOOKS = 30
"""Scrapes while it lives, one each half second: fifteen seconds, which is all the history there is."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EARLIER = 1_000
"""What every counter had before the first look: a real one has a past, and increase() guesses less at its start."""
BOUNDS = (0.1, 0.3, 1.0)
REGIONS = {"nyc2": (400, 0.004), "sfo3": (40, 0.05)}
"""Requests of one look, and the share of them that fail."""
AVAILABILITY = Slo(
    "shop", "availability", "availability", 0.99, MINUTE,
    "sum(increase(requests_total[$window]))", "sum(increase(requests_total{code='500'}[$window]))",
)  # fmt: skip
LATENCY = Slo("shop", "latency", "latency", 0.95, MINUTE, *latency_queries("took_bucket", 0.3), threshold=0.3)
RESPONSE = Slo("pult", "response", "latency", 0.99, MINUTE, *latency_queries("pult_command_seconds_bucket", 2))
PROCESSING = Slo(
    "pult", "processing", "freshness", 1.0, MINUTE, "", "max(pult_oldest_undelivered_seconds)", threshold=300.0,
    missed="sum(increase(pult_event_age_seconds_count[$window]))"
    " - sum(increase(pult_event_age_seconds_bucket{le='300.0'}[$window]))",
)  # fmt: skip

RECORDED = Slo(
    "shop", "recorded", "availability", 0.99, MINUTE, "", "", recording="slo:sli_error:ratio_rate$window{sloth_id='a'}"
)
RULES = """
groups:
- name: sloth-slo-sli-recordings-a
  interval: 500ms
  rules:
  - record: slo:sli_error:ratio_rate5m
    expr: |
      (sum(rate(requests_total{code="500"}[5m])))
      /
      (sum(rate(requests_total[5m])))
    labels: {sloth_id: a, sloth_service: shop, sloth_slo: a, sloth_window: 5m}
"""
"""As Sloth writes them (its examples/_gen/getting-started.yml), evaluated more often."""


@dataclass
class Shop:
    """Grows at every look as traffic would, until LOOKS; sfo3 restarts on the way. ``seen``: its counters, by look."""

    chance: random.Random = field(default_factory=lambda: random.Random(5))
    now: dict[str, Counter[str]] = field(default_factory=dict)
    seen: list[dict[str, Counter[str]]] = field(default_factory=list)
    meters: Meters = field(default_factory=lambda: Meters("live"))

    def __post_init__(self) -> None:
        names = ("200", "500", *(f"{bound:g}" for bound in BOUNDS), "+Inf")
        self.now = {region: Counter(dict.fromkeys(names, EARLIER)) for region in REGIONS}
        for _ in range(100):
            self.meters.command.labels("slo", "slack").observe(0.2)
            self.meters.event_age.observe(1)

    def text(self) -> str:
        if len(self.seen) < LOOKS:
            self._live()
            self.seen.append({region: Counter(counts) for region, counts in self.now.items()})
        return self.meters.text()[0].decode() + "\n".join(self._lines()) + "\n"

    def _live(self) -> None:
        if len(self.seen) == LOOKS // 2:
            self.now["sfo3"] = Counter(dict.fromkeys(self.now["sfo3"], 0))
        for region, (requests, failing) in REGIONS.items():
            counts = self.now[region]
            for _ in range(requests):
                counts["500" if self.chance.random() < failing else "200"] += 1
                took = self.chance.expovariate(1 / 0.12)
                counts.update(f"{bound:g}" for bound in BOUNDS if took <= bound)
                counts["+Inf"] += 1
        slow = len(self.seen) % 10 == 9
        self.meters.command.labels("slo", "slack").observe(3.0 if slow else 0.2)
        self.meters.event_age.observe(1)
        self.meters.oldest.labels("slack:C0").set(12 if slow else 0.5)

    def _lines(self) -> list[str]:
        return [
            f'took_bucket{{region="{region}",le="{name}"}} {value}' if name not in ("200", "500")
            else f'requests_total{{region="{region}",code="{name}"}} {value}'
            for region, counts in self.now.items() for name, value in counts.items()
        ]  # fmt: skip

    def grown(self, *names: str, regions: tuple[str, ...] = tuple(REGIONS)) -> float:
        """By hand: the rises of the raw counters from look to look; a fall is a restart, then it counts from zero."""
        rows = [[each[region][name] for each in self.seen] for region in regions for name in names]
        return float(sum(now - was if now >= was else now for row in rows for was, now in pairwise(row)))


@asynccontextmanager
async def scraped(folder: Path) -> AsyncIterator[tuple[Shop, PrometheusBudgets]]:
    """A shop that has lived, in a real Prometheus."""
    shop = Shop()
    exporter = Exporter(shop.text)
    rules = folder / "rules.yml"
    rules.write_text(RULES)
    job = f"""
rule_files: ["{rules}"]
scrape_configs:
- job_name: shop
  scrape_interval: 500ms
  scrape_timeout: 500ms
  static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]
"""
    async with exporter.serving():
        with real.prometheus(folder, job) as program:
            settings = PrometheusSettings(url=program.url)
            async with asyncio.timeout(90), open_metrics(settings) as metrics:
                while len(shop.seen) < LOOKS:
                    await asyncio.sleep(0.2)
                await asyncio.sleep(1.5)  # so that the last look is stored
                budgets = PrometheusBudgets(metrics, SystemClock(), patience=20)
                yield shop, budgets
                await budgets.close()


async def test_figures_are_those_of_the_raw_counters(tmp_path: Path) -> None:
    async with scraped(tmp_path) as (shop, budgets):
        availability, latency, response, processing = await budgets.standings(
            (AVAILABILITY, LATENCY, RESPONSE, PROCESSING)
        )
        _availability(shop, availability)
        _latency(shop, latency)
        assert isinstance(response, Standing)
        assert response.sli == pytest.approx(1 - 3 / 29, rel=1e-6), "three of its 29 commands took 3 s"
        assert isinstance(processing, Invariant)
        assert (processing.age, processing.peak, processing.kept) == (12, 12, True)
        assert processing.missed == pytest.approx(0, abs=1e-6)
        await _recorded(shop, budgets)
        await _apart(shop, budgets)
        await _history(shop, budgets)


def _availability(shop: Shop, found: object) -> None:
    """Counts are extrapolated by Prometheus to where the samples' edges may have been; shares are not."""
    assert isinstance(found, Standing)
    total, bad = shop.grown("200", "500"), shop.grown("500")
    assert found.whole.total == pytest.approx(total, rel=0.05)
    assert found.whole.bad == pytest.approx(bad, rel=0.05)
    assert found.sli == pytest.approx(1 - bad / total, rel=1e-9)
    assert found.left == pytest.approx(1 - bad / total / 0.01, abs=1e-6)
    assert found.failures_left == pytest.approx(0.01 * total - bad, rel=0.05)
    for window in BURN_WINDOWS:
        assert found.burn(window) == pytest.approx(bad / total / 0.01, rel=1e-6), "all of them hold all there is"


def _latency(shop: Shop, found: object) -> None:
    assert isinstance(found, Standing)
    total, fast = shop.grown("+Inf"), shop.grown("0.3")
    assert found.sli == pytest.approx(fast / total, rel=1e-6)
    rank, below = 0.99 * total, shop.grown("0.3")
    p99 = 0.3 + 0.7 * (rank - below) / (shop.grown("1") - below)
    assert found.quantile == pytest.approx(p99, rel=1e-3)


async def _recorded(shop: Shop, budgets: PrometheusBudgets) -> None:
    """What rules of Sloth's form have recorded: the same share, and no counts."""
    (found,) = await budgets.standings([RECORDED])
    assert isinstance(found, Standing)
    assert found.burn(BURN_WINDOWS[0]) == pytest.approx(shop.grown("500") / shop.grown("200", "500") / 0.01, rel=1e-6)
    assert found.sli == pytest.approx(1 - shop.grown("500") / shop.grown("200", "500"), rel=0.01), "averaged over time"
    assert found.failures_left is None


async def _apart(shop: Shop, budgets: PrometheusBudgets) -> None:
    parts = await budgets.apart(AVAILABILITY, "region")
    assert list(parts) == ["nyc2", "sfo3"]
    for region, part in parts.items():
        share = shop.grown("500", regions=(region,)) / shop.grown("200", "500", regions=(region,))
        assert part.sli == pytest.approx(1 - share, rel=1e-9)
    resets = await budgets.resets(AVAILABILITY)
    assert resets == 2, "both counters of sfo3 began again from zero"


async def _history(shop: Shop, budgets: PrometheusBudgets) -> None:
    """A window longer than the history says so; its steps hold what there is and gaps before it."""
    hour = replace(AVAILABILITY, window=HOUR)
    (found,) = await budgets.standings([hour])
    assert isinstance(found, Standing)
    assert found.short
    assert found.gaps == {Gap.SHORT}
    assert not found.healthy
    past = (await budgets.past(hour)).on(found)
    assert sum(each.known for each in past.bins) <= 2, "steps of three minutes, and not half a minute of history"
