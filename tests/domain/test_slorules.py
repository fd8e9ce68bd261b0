"""What ``pult slo rules`` writes for an SLO; that it does what it should is proved by promtool in tests/slo."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import promql_parser
import pytest

from bot.domain.durations import write_window
from bot.domain.promql import watched
from bot.domain.slo import Slo
from bot.domain.slorules import Rule, groups

DAY = timedelta(days=1)
API = Slo("api", "availability", "availability", 0.999, 30 * DAY, "sum(increase(a[$window]))", "increase(b[$window])")
AT = '{service="api",slo="availability"}'


def rules(slo: Slo, **more) -> dict[str, Rule]:
    found = [rule for group in groups([slo], **more) for rule in group.rules]
    return {f"{rule.name} {rule.labels['severity']}" if rule.alert else rule.name: rule for rule in found}


def test_windows_of_a_month_are_recorded() -> None:
    recorded = rules(API)
    for kind in ("slo:sli_events:increase", "slo:sli_errors:increase", "slo:sli_error:ratio_rate"):
        found = {name.removeprefix(kind): rule for name, rule in recorded.items() if name.startswith(kind)}
        assert list(found) == ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"]
        for window, rule in found.items():
            assert rule.labels == {"service": "api", "slo": "availability", "window": window}


def test_what_other_rules_record_has_rules_already() -> None:
    assert list(groups([replace(API, total="", bad="")])) == []


def test_no_two_slos_share_a_group() -> None:
    """Prometheus refuses a file in which a group's name stands twice."""
    slos = [replace(API, service=service, name=name) for service in ("a", "a-b") for name in ("c", "b-c", "c-period")]
    names = [group.name for group in groups(slos)]
    assert len(set(names)) == len(names) == 12


def test_pages_and_tickets_of_a_month() -> None:
    found = rules(replace(API, min_requests=100))
    page, ticket = found["SloBurn critical"], found["SloBurn warning"]
    assert page.expr.split("\n") == [
        f"slo:sli_error:ratio_rate5m{AT} > 0.0144", "and ignoring (window)",
        f"slo:sli_error:ratio_rate1h{AT} > 0.0144", "and ignoring (window)",
        f"slo:sli_events:increase1h{AT} >= 100", "or ignoring (window)",
        f"slo:sli_error:ratio_rate30m{AT} > 0.006", "and ignoring (window)",
        f"slo:sli_error:ratio_rate6h{AT} > 0.006", "and ignoring (window)",
        f"slo:sli_events:increase6h{AT} >= 100",
    ]  # fmt: skip
    limits = re.findall(r"(ratio_rate\w+)\{[^}]+\} > ([\d.]+)", ticket.expr)
    assert limits == [
        ("ratio_rate2h", "0.003"), ("ratio_rate1d", "0.003"), ("ratio_rate6h", "0.001"), ("ratio_rate3d", "0.001"),
    ]  # fmt: skip
    assert page.labels == {"severity": "critical", "service": "api", "slo": "availability", "window": "30d"}


def test_a_card_knows_what_to_draw() -> None:
    seen = watched(rules(API)["SloBurn critical"].expr)
    assert (seen.measured, seen.limit, seen.unit) == (f"slo:sli_error:ratio_rate5m{AT}", 0.0144, "%")


@pytest.mark.parametrize(
    ("written", "recorded"),
    [
        ("sum(increase(a[$window]))", "sum(increase(a[5m])) < +Inf"),
        ("sum (a)", "sum(\nsum (a)\n) < +Inf"),
        ("increase(a[$window])  # all of them", "sum(\nincrease(a[5m])  # all of them\n) < +Inf"),
        ("sum(increase(a[$window])) + sum(b)", "sum(\nsum(increase(a[5m])) + sum(b)\n) < +Inf"),
        ('sum(increase(a{x=")"}[$window]))', 'sum(increase(a{x=")"}[5m])) < +Inf'),
    ],
)
def test_what_counts_is_one_series(written: str, recorded: str) -> None:
    assert rules(replace(API, total=written))["slo:sli_events:increase5m"].expr == recorded


@pytest.mark.parametrize("slo", [
    API,
    replace(API, objective=1.0),
    replace(API, window=7 * DAY, min_requests=5, name=r"a\b"),
    replace(API, total="sum by (region) (increase(a[$window])) # here", bad="increase(b[$window])\n+ rate(c[$window])"),
    Slo("bots", "backlog", "freshness", 1.0, 30 * DAY, "", "max(age) # now", threshold=300.0),
    Slo("bots", "backlog", "freshness", 1.0, 30 * DAY, "", "age", threshold=300.0, missed="increase(m[$window]) # all"),
], ids=["month", "all", "week", "comment", "freshness", "missed"])  # fmt: skip
def test_every_expression_is_promql(slo: Slo) -> None:
    for rule in rules(slo).values():
        promql_parser.parse(rule.expr)


def test_without_an_address_of_runbooks_there_is_no_link() -> None:
    linked = rules(API, runbooks="https://wiki.example/runbooks/")["SloUnknown warning"]
    assert linked.annotations["runbook_url"] == "https://wiki.example/runbooks/SloUnknown.md"
    assert all("runbook_url" not in rule.annotations for rule in rules(API).values())


def test_an_alert_has_a_service_and_says_little_in_its_summary() -> None:
    freshness = Slo("bots", "backlog", "freshness", 1.0, 30 * DAY, "", "max(age)", threshold=300.0, missed="m")
    for slo in (API, replace(API, objective=1.0), replace(API, kind="latency", threshold=1.0), freshness):
        for rule in (rule for rule in rules(slo).values() if rule.alert):
            assert rule.labels.keys() == {"severity", "service", "slo", "window"}
            assert len(re.sub(r"\{\{.*?\}\}", "", rule.annotations["summary"])) < 110
            assert "$labels.service" in rule.annotations["description"]


def test_what_tells_of_a_spent_budget_stands_with_the_whole_window() -> None:
    """Budgets without any part to spend are broken, not spent."""
    counting, *_, period = groups([API])
    assert "SloBudgetSpent" not in {rule.name for rule in counting.rules}
    spent = period.rules[-1]
    assert (spent.name, spent.labels["severity"], spent.labels["window"]) == ("SloBudgetSpent", "warning", "30d")
    assert watched(spent.expr).measured == f"slo:period_error_budget_remaining:ratio{AT}"
    assert "SloBudgetSpent warning" not in rules(replace(API, objective=1.0))


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(minutes=5), "5m"),
        (7 * DAY, "7d"),
        (28 * DAY, "28d"),
        (DAY / 16, "90m"),
        (timedelta(seconds=450), "450s"),
    ],
)
def test_windows_are_written_as_the_field_does(length: timedelta, written: str) -> None:
    assert write_window(length) == written
