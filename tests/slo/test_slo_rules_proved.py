"""Generated rules on samples: what fires, what does not, and what is not known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.slo import Slo, latency_queries
from tests.slo.proofs import RUNBOOKS, Proof, availability, rule_file, steps

DAY, HOUR, TWO = timedelta(days=1), timedelta(hours=1), timedelta(minutes=2)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


WORDS = {
    "summary": "api: {pct} of requests fail, the error budget for availability {pace}",
    "description": "api promises 99.9% over 30d. At least {lost}, and it goes on. What is left, and what ate it: "
    "slo api.",
    "runbook_url": f"{RUNBOOKS}/SloBurn.md",
}
FAST = "2% of that error budget went within 1h, or 5% within 6h"
SLOW = "10% of that error budget went within 1d, or 10% within 3d"


def told(severity: str, **values: str) -> dict[str, dict[str, str]]:
    labels = {"severity": severity, "service": "api", "slo": "availability", "window": "30d"}
    return {"exp_labels": labels, "exp_annotations": {name: text.format(**values) for name, text in WORDS.items()}}


def test_a_fast_burn_pages_once_both_windows_burn_and_ends_with_the_short_one(tmp_path: Path) -> None:
    """A fifth fails for ten minutes: the hour burns at 14.4 after 60 * 0.0144 / 0.2 = 4.3 minutes.

    There are six hours of history, so the windows of days are those six hours, and the ticket comes as well.
    """
    proof = Proof().requests(steps((6 * HOUR, 600, 0), (minutes(10), 600, 0.2), (HOUR, 600, 0)))
    begun = 6 * HOUR
    proof.fires(begun).pages(begun + minutes(4), False).pages(begun + minutes(5)).pages(begun + minutes(14))
    fast = told("critical", pct="20%", pace="burns fast", lost=FAST)
    proof.says(begun + minutes(10), "SloBurn", fast, told("warning", pct="1.667%", pace="will not last", lost=SLOW))
    proof.pages(begun + minutes(15), False).pages(begun + minutes(60), False)
    proof.reads(begun + minutes(15), "slo:sli_error:ratio_rate1h > bool 0.0144", {_at("1h"): 1})
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


def test_a_slow_burn_is_a_ticket_and_no_page(tmp_path: Path) -> None:
    """0.4 % after half a day without errors: what there is of three days burns at 1 after 12 * 0.1 / (0.4 - 0.1) h."""
    proof = Proof(every=TWO).requests(steps((12 * HOUR, 1200, 0), (5 * HOUR, 1200, 0.004), every=TWO))
    proof.fires(15.8 * HOUR).fires(16.2 * HOUR, "warning")
    proof.says(17 * HOUR, "SloBurn", told("warning", pct="0.3333%", pace="will not last", lost=SLOW))
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


def test_a_blip_burns_in_the_short_window_alone_and_tells_nobody(tmp_path: Path) -> None:
    """Two of five fail for two minutes: 1.33 % of the hour, and 0.095 % of the fourteen hours that there are."""
    proof = Proof(every=TWO).requests(steps((14 * HOUR, 1200, 0), (TWO, 1200, 0.4), (HOUR, 1200, 0), every=TWO))
    at = 14 * HOUR + TWO
    proof.reads(at, "slo:sli_error:ratio_rate5m > bool 0.0144", {_at("5m"): 1})
    for later in range(0, 60, 4):
        proof.fires(at + minutes(later))
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


def test_a_window_with_little_traffic_tells_nobody(tmp_path: Path) -> None:
    """12 requests an hour, half of them fail; 72 in six hours, and the day has its 100 after 8 h 20 min."""
    counts = list(steps((9 * HOUR, 0.4, 0.5), every=TWO))
    proof = Proof(every=TWO).requests(counts).requests(counts, "bare")
    proof.fires(HOUR).fires(HOUR, "critical", "warning", service="bare")
    proof.fires(8.2 * HOUR).fires(9 * HOUR, "warning")
    proof.holds(tmp_path, rule_file(tmp_path, [availability(min_requests=100), availability("bare")]))


def test_a_counter_that_starts_anew_is_no_loss_and_no_error(tmp_path: Path) -> None:
    proof = Proof().requests(steps((4 * HOUR, 600, 0.0005)))
    for name, values in proof.series.items():
        proof.series[name] = [value - (values[150] if at >= 150 else 0) for at, value in enumerate(values)]
    for at in range(140, 240, 5):
        proof.fires(minutes(at))
    proof.reads(minutes(155), "round(slo:sli_error:ratio_rate1h, 0.0001)", {_at("1h", metric=""): 0.0005})
    proof.reads(minutes(154), "slo:sli_events:increase5m > bool 2300 < bool 3100", {_at("5m"): 1})
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


# --- nobody knows ---


def test_what_nobody_measured_is_neither_an_error_nor_good(tmp_path: Path) -> None:
    """An hour at 0.05 %, an hour of silence, an hour at 0.05 %: half of the budget is spent, not two thirds left."""
    proof = Proof().requests(steps((3 * HOUR, 600, 0.0005)))
    for name, values in proof.series.items():
        proof.series[name] = [None if 60 < at <= 120 else value for at, value in enumerate(values)]
    left = "round(slo:period_error_budget_remaining:ratio, 0.05)"
    proof.reads(HOUR, left, {_of(): 0.5})
    proof.reads(
        minutes(100), "slo:sli_error:ratio_rate5m or slo:sli_events:increase5m or slo:current_burn_rate:ratio", {}
    )
    proof.reads(minutes(100), left, {_of(): 0.5}).reads(3 * HOUR, left, {_of(): 0.5})
    for at in range(0, 180, 10):
        proof.fires(minutes(at))
    proof.fires(minutes(90), alert="SloUnknown").fires(minutes(100), "warning", alert="SloUnknown")
    proof.fires(minutes(125), alert="SloUnknown")
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


def test_no_traffic_is_unknown_but_nothing_to_tell(tmp_path: Path) -> None:
    proof = Proof().requests(steps((HOUR, 600, 0), (HOUR, 0, 0)))
    proof.reads(minutes(110), "slo:sli_events:increase5m", {_at("5m", "slo:sli_events:increase5m"): 0})
    proof.reads(minutes(110), "slo:sli_error:ratio_rate5m", {})
    proof.fires(minutes(118)).fires(minutes(118), alert="SloUnknown")
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


def test_no_series_of_errors_beside_traffic_is_no_error(tmp_path: Path) -> None:
    proof = Proof(series={'http_requests_total{job="api",code="200"}': [600.0 * at for at in range(61)]})
    proof.reads(HOUR, "slo:sli_error:ratio_rate5m", {_at("5m", "slo:sli_error:ratio_rate5m"): 0})
    proof.reads(HOUR, "slo:period_error_budget_remaining:ratio", {_of("slo:period_error_budget_remaining:ratio"): 1})
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


@pytest.mark.parametrize("broken", ["total", "bad"])
def test_a_query_that_answers_nan_is_unknown_and_spoils_no_sum(tmp_path: Path, broken: str) -> None:
    """The series ``twist`` is 1, for half an hour NaN, then 1 again; 0.05 % fail all the time."""
    slo = availability()
    query = {"total": slo.total, "bad": slo.bad}[broken]
    twisted = availability(**{broken: f"{query} * scalar(twist)"})
    proof = Proof().requests(steps((2 * HOUR, 600, 0.0005)))
    proof.series["twist"] = [float("nan") if 60 < at <= 90 else 1.0 for at in range(121)]
    proof.reads(minutes(80), "slo:sli_error:ratio_rate5m", {}).fires(minutes(80))
    proof.reads(2 * HOUR, "round(slo:period_error_budget_remaining:ratio, 0.05)", {_of(): 0.5})
    proof.holds(tmp_path, rule_file(tmp_path, [twisted]))


def test_the_whole_window_is_weighted_by_traffic(tmp_path: Path) -> None:
    """A busy hour without errors, a quiet one where all fail: 600 of 60,600. An average of ratios would say half."""
    proof = Proof().requests(steps((HOUR, 1000, 0), (HOUR, 10, 1)))
    proof.reads(2 * HOUR, "round(slo:sli_error:ratio_rate30d, 0.001)", {_at("30d", metric=""): 0.01})
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


# --- other kinds, other windows ---


@pytest.mark.parametrize("bound", ["1", "1.0"])
def test_latency_is_the_share_above_the_threshold(tmp_path: Path, bound: str) -> None:
    total, bad, quantile = latency_queries('http_request_duration_seconds_bucket{job="api"}', 1)
    slo = Slo("api", "latency", "latency", 0.99, 30 * DAY, total, bad, quantile, 1.0)
    slow = [0.0] * 360 + [0.3 * at for at in range(61)]
    proof = Proof()
    for name, part in ((bound, 0.0), ("+Inf", 1.0)):
        proof.series[f'http_request_duration_seconds_bucket{{job="api",le="{name}"}}'] = [
            100 * at - (100 * late * (1 - part)) for at, late in enumerate(slow)
        ]
    proof.fires(6 * HOUR).pages(6 * HOUR + minutes(20), False).pages(6 * HOUR + minutes(40))
    proof.reads(
        7 * HOUR, "round(slo:sli_error:ratio_rate5m, 0.001)", {'{service="api",slo="latency",window="5m"}': 0.3}
    )
    proof.holds(tmp_path, rule_file(tmp_path, [slo]))


def test_without_the_bucket_of_the_threshold_all_is_slow(tmp_path: Path) -> None:
    total, bad, quantile = latency_queries('http_request_duration_seconds_bucket{job="api"}', 1)
    proof = Proof(
        series={'http_request_duration_seconds_bucket{job="api",le="+Inf"}': [100.0 * at for at in range(61)]}
    )
    proof.fires(HOUR, "critical", "warning")
    proof.holds(
        tmp_path, rule_file(tmp_path, [Slo("api", "latency", "latency", 0.99, 30 * DAY, total, bad, quantile, 1)])
    )


def test_an_objective_of_100_is_broken_by_one_error(tmp_path: Path) -> None:
    slo = availability("worker", 1.0, min_requests=10_000)
    requests = [(10.0, 0.1 if at == 60 else 0.0) for at in range(120)]
    proof = Proof().requests(requests, "worker")
    remaining, burn = "slo:period_error_budget_remaining:ratio", "slo:current_burn_rate:ratio"
    proof.reads(HOUR, remaining, {_of(remaining, "worker"): 1}).reads(HOUR, burn, {_of(burn, "worker", "5m"): 0})
    proof.fires(HOUR, alert="SloBroken", service="worker")
    labels = {"severity": "critical", "service": "worker", "slo": "availability", "window": "30d"}
    notes = {
        "summary": "worker: 2% of requests fail, and availability allows none",
        "description": "worker promises 100% over 30d. Every single one breaks that, and some came in the last 5m.",
        "runbook_url": f"{RUNBOOKS}/SloBroken.md",
    }
    proof.says(minutes(64), "SloBroken", {"exp_labels": labels, "exp_annotations": notes})
    proof.reads(minutes(64), f"{burn} == +Inf", {_of(burn, "worker", "5m"): float("inf")})
    proof.fires(minutes(70), alert="SloBroken", service="worker")
    proof.reads(minutes(110), remaining, {_of(remaining, "worker"): -1}).says(minutes(64), "SloBurn")
    proof.holds(tmp_path, rule_file(tmp_path, [slo]))


def test_freshness_is_an_invariant_on_the_oldest(tmp_path: Path) -> None:
    slo = Slo("bots", "backlog", "freshness", 1.0, 30 * DAY, "", "oldest_seconds", threshold=300.0)
    proof = Proof(series={
        'oldest_seconds{pod="a"}': [*range(0, 660, 60), *[0] * 10, *[float("nan")] * 40, *[0] * 10],
        'oldest_seconds{pod="b"}': [200.0] * 21 + [None] * 50,
    })  # fmt: skip
    proof.fires(minutes(5), alert="SloBroken", service="bots").fires(
        minutes(6), "critical", alert="SloBroken", service="bots"
    )
    labels = {"severity": "critical", "service": "bots", "slo": "backlog", "window": "30d"}
    notes = {
        "summary": "bots: the oldest of backlog has waited for 10m 0s",
        "description": "bots promises that nothing waits for longer than 300 s. What comes in is not worked off, or "
        "not fast enough.",
        "runbook_url": f"{RUNBOOKS}/SloBroken.md",
    }
    proof.says(minutes(10), "SloBroken", {"exp_labels": labels, "exp_annotations": notes})
    proof.fires(minutes(11), alert="SloBroken", service="bots").fires(minutes(40), alert="SloBroken", service="bots")
    proof.fires(minutes(40), alert="SloUnknown", service="bots")
    proof.fires(minutes(58), "warning", alert="SloUnknown", service="bots")
    proof.fires(minutes(62), alert="SloUnknown", service="bots")
    proof.holds(tmp_path, rule_file(tmp_path, [slo]))


def test_a_week_has_shorter_windows_and_the_same_share_of_the_budget(tmp_path: Path) -> None:
    """15 minutes at 13.44: 2 % of the budget of a week. All of one SLO's rules leave those of another alone."""
    slos = [availability(window=7 * DAY), availability("web")]
    proof = Proof().requests(steps((6 * HOUR, 600, 0), (minutes(10), 600, 0.2)))
    proof.requests(steps((7 * HOUR, 600, 0)), "web")
    proof.pages(6 * HOUR + minutes(1), False).pages(6 * HOUR + minutes(2))
    proof.fires(6 * HOUR + minutes(5), service="web")
    proof.reads(6 * HOUR, 'pult_slo_info{service="api"}', {
        'pult_slo_info{service="api",slo="availability",kind="availability",objective="99.9",window="7d"}': 1,
    })  # fmt: skip
    proof.holds(tmp_path, rule_file(tmp_path, slos))


def test_a_name_is_no_template_and_no_promql(tmp_path: Path) -> None:
    slo = availability(name=r"a{{b}}\c", objective=1.0)
    proof = Proof().requests(steps((HOUR, 600, 0.1)))
    proof.reads(HOUR, 'count by (slo) (ALERTS{alertname="SloBroken",alertstate="firing"})', {r'{slo="a{{b}}\\c"}': 1})
    proof.holds(tmp_path, rule_file(tmp_path, [slo]))


def _of(metric: str = "", service: str = "api", window: str = "30d") -> str:
    return f'{metric}{{service="{service}",slo="availability",window="{window}"}}'


def _at(window: str, metric: str = "") -> str:
    return f'{metric}{{service="api",slo="availability",window="{window}"}}'
