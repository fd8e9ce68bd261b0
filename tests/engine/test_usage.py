"""Usage from Prometheus: whose samples count, what becomes of gaps and silence, and that a real one computes it so."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from math import nan
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.prometheus.metrics import open_metrics
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.services import Environment
from bot.domain.sizing import Used
from bot.engine.usage import PrometheusUsage, curve_queries, figure_queries
from bot.ports.metrics import Reading, Sample, Series
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests import real
from tests.handlers.fakes import NOON, FakeClock, FakeMetrics

API = Environment("production", "nyc2", "production", "deployment", "api")
FIGURES, CURVES = figure_queries(API), curve_queries(API)
REGIONS = {"nyc2": "nyc2", "sfo3": "sfo3"}


class Spans(FakeMetrics):
    """Range queries by their text, too."""

    async def span(self, promql, start, end, step):  # type: ignore[no-untyped-def]
        found = self.spans.get(promql, ())
        if isinstance(found, Exception):
            raise found
        return found


def sample(value: float, region: str = "nyc2", pod: str = "api-1", container: str = "api") -> Sample:
    return Sample({"region": region, "pod": pod, "container": container}, value)


def answered(metrics: FakeMetrics, **values: float) -> None:
    for name, value in values.items():
        metrics.answers[FIGURES[name]] = Reading((sample(value), sample(99.0, "sfo3")))


@pytest.fixture
def metrics() -> Spans:
    found = Spans()
    answered(found, cpu=0.1, cpu_points=500, memory=2e8, memory_points=600)
    return found


async def test_of_this_cluster_alone(metrics: Spans) -> None:
    usage = await PrometheusUsage(metrics, FakeClock(), REGIONS).usage(API)
    assert usage.used == {"api": (Used("api-1", 0.1, 500, 2e8, 600),)}
    assert usage.silent == frozenset()


async def test_the_hungriest_pod_hour_by_hour(metrics: Spans) -> None:
    later = NOON + timedelta(hours=1)
    labels = {"region": "nyc2", "container": "api"}
    metrics.spans[CURVES["memory"]] = (
        Series(labels, ((NOON, 1.0), (later, nan))), Series(labels, ((NOON, 3.0),)),
        Series({**labels, "region": "sfo3"}, ((NOON, 9.0),)),
    )  # fmt: skip
    usage = await PrometheusUsage(metrics, FakeClock(), REGIONS).usage(API)
    assert usage.memory == {"api": ((NOON, 3.0),)}, "what is not a number is a gap"
    assert usage.cpu == {}


@pytest.mark.parametrize("error", [TemporaryError("slow"), PermanentError("too many samples")])
@pytest.mark.parametrize(
    ("name", "silent"), [("cpu", "cpu"), ("cpu_points", "cpu"), ("memory", "memory"), ("killed", "memory")]
)
async def test_each_question_fails_alone(metrics: Spans, name: str, silent: str, error: Exception) -> None:
    metrics.answers[FIGURES[name]] = error
    usage = await PrometheusUsage(metrics, FakeClock(), REGIONS).usage(API)
    assert usage.silent == {silent}
    assert usage.used["api"][0].pod == "api-1"


async def test_warnings_mean_that_not_all_is_known(metrics: Spans) -> None:
    metrics.answers[FIGURES["memory"]] = Reading((sample(1.0),), ("a remote store is away",))
    assert (await PrometheusUsage(metrics, FakeClock(), REGIONS).usage(API)).silent == {"memory"}


async def test_without_prometheus_nothing_is_known() -> None:
    usage = await PrometheusUsage(None, FakeClock(), REGIONS).usage(API)
    assert (usage.used, usage.silent) == ({}, {"cpu", "memory"})


@pytest.mark.parametrize(
    ("kind", "pod", "ours"),
    [
        ("deployment", "api-7d9f8b6c5d-b4k8x", True), ("deployment", "api-worker-b4k8x", False),
        ("deployment", "api-gw-7d9f8b6c5d-b4k8x", False), ("rollout", "api-7d9f8b6c5d-b4k8x", True),
        ("statefulset", "api-12", True), ("statefulset", "api-7d9f8b6c5d-b4k8x", False),
        ("daemonset", "api-b4k8x", True), ("daemonset", "api-7d9f8b6c5d-b4k8x", False),
    ],
)  # fmt: skip
async def test_whose_a_pod_is(kind: str, pod: str, ours: bool) -> None:
    found = re.search(r'pod=~"([^"]*)"', figure_queries(replace(API, kind=kind))["cpu"])
    assert found
    assert bool(re.fullmatch(found[1].replace("\\\\", "\\"), pod)) is ours


async def test_over_the_simulated_department() -> None:
    """bots ran out of memory under its 512Mi limit; api's p95 lies under its peak and over its mean."""
    async with simulator(SimulatorSettings(port=0)) as department, open_metrics(
        PrometheusSettings(url=f"{department.url}/prometheus")
    ) as metrics:  # fmt: skip
        usages = PrometheusUsage(metrics, SystemClock(), REGIONS)
        api, bots = await usages.usage(API), await usages.usage(replace(API, workload="bots"))
    assert api.silent == bots.silent == frozenset()
    assert len(api.used["api"]) == 4
    assert all(used.cpu_points >= 100 and used.memory_points >= 100 for used in api.used["api"])
    hours = [value for _, value in api.cpu["api"]]
    assert sum(hours) / len(hours) < (api.used["api"][0].cpu or 0) <= max(hours) * 1.05
    assert [used.killed for used in bots.used["bots"]] == [512.0 * 2**20, None]
    assert len(api.of("api").days) >= 13


TESTED = """\
rule_files: []
evaluation_interval: 75s
tests:
  - interval: 75s
    input_series:
      - series: '{memory}'
        values: '1000x20 _x20 3000 1000x60'
      - series: '{cpu}'
        values: '0+75x60 4500+7.5x60'
      - series: '{limit}'
        values: '4000x120'
      - series: '{killed}'
        values: '_x100 1x20'
    promql_expr_test: {tests}
"""


def test_a_real_prometheus_computes_it_so(tmp_path: Path) -> None:
    """120 steps: one core for half of them and a tenth after, memory with a gap, a kill near the end.

    Over those alone: promtool's engine takes ten thousand samples, a server fifty million.
    """
    where = 'namespace="production",pod="api-7d9f8b6c5d-b4k8x",container="api",region="nyc2"'
    series = {
        "memory": f"container_memory_working_set_bytes{{{where}}}",
        "cpu": f"container_cpu_usage_seconds_total{{{where}}}",
        "limit": f'kube_pod_container_resource_limits{{resource="memory",{where}}}',
        "killed": f'kube_pod_container_status_last_terminated_reason{{reason="OOMKilled",{where}}}',
    }
    labels = '{container="api", pod="api-7d9f8b6c5d-b4k8x", region="nyc2"}'
    expected = {"cpu": 1.0, "memory": 3000.0, "killed": 4000.0}
    tests = [
        {
            "expr": FIGURES[name].replace("[14d:", "[150m:"),
            "eval_time": "2h30m",
            "exp_samples": [{"labels": labels, "value": value}],
        }
        for name, value in expected.items()
    ]
    text = TESTED
    for name, one in series.items():
        text = text.replace(f"{{{name}}}", one)
    path = tmp_path / "usage.test.yaml"
    path.write_text(text.replace("{tests}", json.dumps(tests)), encoding="utf-8")
    done = subprocess.run(
        [real.installed("promtool", "prometheus"), "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
