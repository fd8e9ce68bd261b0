"""SLO arithmetic, against numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.slo import BURN_WINDOWS, Counts, Slo, Standing, latency_queries, over, recorded

HOUR = timedelta(hours=1)
M30 = timedelta(days=30)
SLO = Slo("api", "availability", "availability", 0.999, M30, "total[$window]", "bad[$window]")
"""30 days at 99.9 %: 43.2 minutes of budget."""
UNKNOWN = [None, float("nan"), float("inf"), float("-inf")]


def standing(total: float | None, bad: float | None, objective: float = 0.999, **recent: Counts) -> Standing:
    windows = {HOUR: recent["hour"]} if recent else {}
    return Standing(replace(SLO, objective=objective), Counts(total, bad), windows)


def burning(ratio: float, total: float = 1_000_000, bad: float = 0) -> Standing:
    return standing(total, bad, hour=Counts(1_000, 1_000 * ratio))


def test_half_spent() -> None:
    half = standing(1_000_000, 500)
    assert half.sli == pytest.approx(0.9995)
    assert half.left == pytest.approx(0.5)
    assert half.minutes_left == pytest.approx(21.6)
    assert half.failures_left == pytest.approx(500)


def test_untouched() -> None:
    fresh = standing(1_000_000, 0)
    assert (fresh.sli, fresh.left) == (1, 1)
    assert fresh.minutes_left == pytest.approx(43.2)
    assert fresh.failures_left == pytest.approx(1_000)


def test_exactly_spent() -> None:
    spent = standing(1_000_000, 1_000)
    assert spent.left == pytest.approx(0, abs=1e-9)


def test_overspent_is_negative() -> None:
    over_ = standing(1_000_000, 3_000)
    assert over_.left == pytest.approx(-2)
    assert over_.minutes_left == pytest.approx(-86.4)
    assert over_.failures_left == pytest.approx(-2_000)


def test_total_outage() -> None:
    assert standing(100, 100).left == pytest.approx(-999)
    assert standing(100, 100).sli == 0


def test_an_objective_of_everything() -> None:
    assert standing(100, 0, objective=1.0).left == 1
    assert standing(100, 1, objective=1.0).left == -1
    assert standing(100, 1, objective=1.0).minutes_left == 0
    assert standing(100, 0, objective=1.0, hour=Counts(10, 0)).burn(HOUR) == 0
    assert standing(100, 0, objective=1.0, hour=Counts(10, 1)).burn(HOUR) == math.inf
    assert standing(100, 0, objective=1.0, hour=Counts(10, 1)).exhausted_in() == timedelta()


@pytest.mark.parametrize(
    ("total", "bad"),
    [*product(UNKNOWN, [0, 1, None]), *product([1, 100], UNKNOWN), (0, 0), (0, 1), (0, None), (-1, 0)],
    ids=str,
)
def test_what_nobody_knows_is_unknown_and_never_healthy(total: float | None, bad: float | None) -> None:
    unknown = standing(total, bad, hour=Counts(total, bad))
    assert unknown.whole.ratio is None
    assert unknown.sli is None
    assert unknown.left is None
    assert unknown.minutes_left is None
    assert unknown.failures_left is None
    assert unknown.burn(HOUR) is None
    assert unknown.exhausted_in() is None


def test_a_window_nobody_asked_for_is_unknown() -> None:
    assert standing(100, 0).burn(HOUR) is None
    assert standing(100, 0).exhausted_in() is None


def test_extrapolated_counts_stay_within_a_share() -> None:
    """Prometheus' increase() extrapolates: bad may come out a little over total, or below zero."""
    assert Counts(100, 100.4).ratio == 1
    assert Counts(100, -0.3).ratio == 0


@pytest.mark.parametrize(("ratio", "burn"), [(0, 0), (0.001, 1), (0.0144, 14.4), (0.08, 80), (1, 1_000)])
def test_burn(ratio: float, burn: float) -> None:
    assert burning(ratio).burn(HOUR) == pytest.approx(burn)


def test_exhaustion() -> None:
    assert burning(0.0144).exhausted_in() / HOUR == pytest.approx(50), "720 h / 14.4"
    assert burning(0.0144, bad=500).exhausted_in() / HOUR == pytest.approx(25), "half of it is left"
    assert burning(0.0144, bad=2_000).exhausted_in() == timedelta(), "it is over"
    assert burning(0.0005).exhausted_in() is None, "slower than allowed"
    assert burning(0).exhausted_in() is None
    assert standing(None, None, hour=Counts(10, 10)).exhausted_in() is None


def test_the_windows_are_those_of_the_alerts() -> None:
    assert [window / HOUR for window in BURN_WINDOWS] == [pytest.approx(1 / 12), 1, 6, 72]


def test_the_window_is_written_into_the_query() -> None:
    assert SLO.queries(HOUR) == ("total[3600s]", "bad[3600s]")
    assert over("a[$window] / b[$window]", timedelta(minutes=5)) == "a[300s] / b[300s]"
    assert over("", HOUR) == ""


@pytest.mark.parametrize(
    ("bucket", "everything"),
    [
        ("h_bucket", 'h_bucket{le="+Inf"}'),
        ("h_bucket{}", 'h_bucket{le="+Inf"}'),
        ('h_bucket{job="api"}', 'h_bucket{job="api",le="+Inf"}'),
        ('h_bucket{job="api",}', 'h_bucket{job="api",le="+Inf"}'),
        ('h_bucket{job="api" }', 'h_bucket{job="api",le="+Inf"}'),
    ],
)
def test_latency(bucket: str, everything: str) -> None:
    total, bad, p99 = latency_queries(bucket, 0.3)
    assert total == f"sum(increase({everything}[$window]))"
    fast = everything.replace('="+Inf"', '=~"0[.]3"')
    assert bad == f"({total} - (sum(increase({fast}[$window])) or 0 * {total}))"
    assert p99 == f"histogram_quantile(0.99, sum by (le) (rate({bucket}[$window])))"


@pytest.mark.parametrize(("threshold", "bound"), [(1, "1([.]0)?"), (2.5, "2[.]5"), (0.05, "0[.]05"), (10, "10([.]0)?")])
def test_the_bound_as_clients_write_it(threshold: float, bound: str) -> None:
    assert f'le=~"{bound}"' in latency_queries("h", threshold)[1]


def test_recorded_windows_are_named_as_rules_name_them() -> None:
    rules = "slo:sli_error:ratio_rate$window{sloth_id='x'}"
    five = "slo:sli_error:ratio_rate5m{sloth_id='x'}"
    assert recorded(rules, timedelta(minutes=5)) == f"avg({five})"
    assert recorded(rules, HOUR).startswith("avg(slo:sli_error:ratio_rate1h{sloth_id='x'}) or avg(avg_over_time(")
    month = recorded(rules, timedelta(days=28))
    assert month == (
        "avg(slo:sli_error:ratio_rate4w{sloth_id='x'}) or avg(slo:sli_error:ratio_rate28d{sloth_id='x'})"
        f" or avg(avg_over_time({five}[2419200s]))"
    )


finite = st.floats(0, 1e12)


@given(finite, finite, st.floats(0.5, 1))
def test_what_is_shown_is_consistent(total: float, bad: float, objective: float) -> None:
    found = standing(total, bad, objective)
    assert (found.sli is None) == (found.left is None) == (found.minutes_left is None) == (total <= 0)
    if found.sli is not None and found.left is not None:
        assert 0 <= found.sli <= 1
        assert found.left <= 1
        assert (found.left < 0) == (found.sli < objective) or found.left == pytest.approx(0, abs=1e-6)
