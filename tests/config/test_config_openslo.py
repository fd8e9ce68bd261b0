"""OpenSLO files as [[slos]]: what is taken, and what is refused in words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NotReadyError
from bot.domain.slo import Slo
from config.department import department
from config.loader import parse
from config.openslo import OpenSloError, objectives, windowed

V1 = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: web-requests}
spec:
  ratioMetric:
    counter: true
    good:
      metricSource: {type: Prometheus, spec: {query: 'http_requests_total{job="web",code!~"5[0-9].|429"}'}}
    total:
      metricSource: {type: Prometheus, spec: {query: 'sum(http_requests_total{job="web"})'}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: requests, displayName: Requests}
spec:
  service: web
  indicatorRef: web-requests
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}, {targetPercent: 99}]
"""
SLOTH = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: availability}
spec:
  service: web
  budgetingMethod: Occurrences
  objectives:
    - ratioMetrics:
        good: {source: prometheus, queryType: promql, query: 'sum(rate(good_total{code!~"[45].."}[{{.window}}]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(all_total[{{ .window }}]))'}
      target: 0.995
  timeWindows: [{count: 30, unit: Day}]
"""
BASE = """
[prometheus]
url = "http://prometheus:9090"
[[routes]]
to = ["console:ops"]
[[clusters]]
name = "nyc2"
region = "nyc2"
[[services]]
name = "web"
namespace = "production"
clusters = ["nyc2"]
"""


def configured(folder: Path, text: str, more: str = "") -> tuple[Slo, ...]:
    (folder / "slo.yaml").write_text(text)
    slos = f'[[slos]]\nopenslo = "slo.yaml"\n{more}'
    return department(parse(BASE + slos, folder / "pult.toml", {})).slos


def test_a_file_gives_an_slo_for_each_objective(tmp_path: Path) -> None:
    first, second = configured(tmp_path, V1)
    assert (first.service, first.name, first.objective, first.window) == (
        "web", "requests-1", 0.999, timedelta(days=28),
    )  # fmt: skip
    assert (second.name, second.objective) == ("requests-2", 0.99)
    assert first.total == 'sum(increase(http_requests_total{job="web"}[$window]))'
    good = 'sum(increase(http_requests_total{job="web",code!~"5[0-9].|429"}[$window]))'
    assert first.bad == f"({first.total}) - (({good}) or 0 * ({first.total}))"


def test_sloths_own_example_form(tmp_path: Path) -> None:
    (slo,) = configured(tmp_path, SLOTH)
    assert slo.total == "sum(increase(all_total[$window]))"
    assert 'sum(increase(good_total{code!~"[45].."}[$window]))' in slo.bad, "what stands in quotes is no range"
    assert (slo.objective, slo.window) == (0.995, timedelta(days=30))


def test_keys_beside_the_file_stand_above_it(tmp_path: Path) -> None:
    (slo,) = configured(tmp_path, SLOTH.replace("service: web", "service: shop"), 'service = "web"\nmin_requests = 7')
    assert (slo.service, slo.min_requests) == ("web", 7)


@pytest.mark.parametrize(
    ("change", "with_", "said"),
    [
        ("Occurrences", "Timeslices", "budgetingMethod Occurrences"),
        ("unit: Day", "unit: Quarter", "one timeWindow of minutes, hours, days or weeks"),
        ("[{count: 30, unit: Day}]", "[{duration: 30d, calendar: {startTime: x}}]", "a rolling timeWindow"),
        ("good:", "fine:", "a ratioMetric with total, and good or bad"),
        ("ratioMetrics:", "thresholdMetric: {}\n      ratioMetrics:", "a ratioMetric: a threshold on a gauge"),
        ("target: 0.995", "value: 3", "objectives with target or targetPercent"),
        ("kind: SLO", "kind: Service", "a file with a document of kind SLO"),
        ("[{{ .window }}]", "", "queries with a range"),
        ("sum(rate(all", "sum(irate(all", "queries of increase() or rate()"),
        ("service: web", "service: shop", 'found "shop"'),
        ("metadata: {", "metadata: {{", "which is no YAML in line"),
    ],
)
def test_what_pult_cannot_keep_is_refused(tmp_path: Path, change: str, with_: str, said: str) -> None:
    assert change in SLOTH
    with pytest.raises(NotReadyError) as refused:
        configured(tmp_path, SLOTH.replace(change, with_))
    assert said in str(refused.value)
    assert "slos[" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        NotReadyError, match=r"slos\[#1\].openslo: found .*away.yaml, which can't be read: No such file"
    ):
        parse(BASE + '[[slos]]\nopenslo = "away.yaml"\n', tmp_path / "pult.toml", {})


def test_an_sli_that_is_in_no_document() -> None:
    with pytest.raises(OpenSloError, match="a file that also holds the SLI web-requests"):
        objectives(V1.split("---")[1])


@pytest.mark.parametrize(
    ("query", "counter", "counts"),
    [
        ("a_total", True, "sum(increase(a_total[$window]))"),
        ("sum(a_total{x='1'})", True, "sum(increase(a_total{x='1'}[$window]))"),
        ("sum(rate(a_total[5m]))", False, "sum(increase(a_total[$window]))"),
        ("sum(increase(a_total[1h30m]))", True, "sum(increase(a_total[$window]))"),
        ("sum(increase(a_total[$window]))", False, "sum(increase(a_total[$window]))"),
    ],
)
def test_a_query_gets_the_window(query: str, counter: bool, counts: str) -> None:
    assert windowed(query, counter=counter) == counts


def test_recorded_rules_stand_in_place_of_queries(tmp_path: Path) -> None:
    rules = "slo:sli_error:ratio_rate$window{sloth_id='web-requests'}"
    slo = f'[[slos]]\nservice = "web"\nname = "a"\nkind = "availability"\nobjective = 99.9\nrecording = "{rules}"\n'
    (found,) = department(parse(BASE + slo, tmp_path / "pult.toml", {})).slos
    assert (found.recording, found.total, found.bad) == (rules, "", "")
    with pytest.raises(NotReadyError, match="the name of recording rules with"):
        parse(BASE + slo.replace("$window", "5m"), tmp_path / "pult.toml", {})
    with pytest.raises(NotReadyError, match="total and bad, or recording for kind availability"):
        parse(BASE + slo + "total = 'x[$window]'\n", tmp_path / "pult.toml", {})
