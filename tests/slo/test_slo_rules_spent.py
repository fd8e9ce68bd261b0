"""Generated rules on samples: deadlines that were missed, and budgets with nothing left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.slo import Slo
from tests.slo.proofs import RUNBOOKS, Proof, availability, rule_file, steps

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
MISSED = "sum(increase(done_total[$window])) - sum(increase(done_in_time_total[$window]))"
BACKLOG = Slo(
    "bots", "backlog", "freshness", 1.0, 30 * DAY, "", "oldest_seconds", threshold=300.0, missed=MISSED
)  # fmt: skip
LABELS = {"severity": "critical", "service": "bots", "slo": "backlog", "window": "30d"}


def done(late_at: int, minutes: int = 60) -> Proof:
    """Ten a minute are done in time, and one of them late at that minute; nothing waits long when it is looked at."""
    counted = [10.0 * at for at in range(minutes + 1)]
    in_time = [value - (at >= late_at) for at, value in enumerate(counted)]
    series = {"done_total": counted, "done_in_time_total": in_time, "oldest_seconds": [5.0] * (minutes + 1)}
    return Proof(series=dict(series))


def test_a_missed_deadline_pages_though_nothing_waits_any_more(tmp_path: Path) -> None:
    proof = done(late_at=30)
    for at, expected in ((29, ()), (31, ("critical",)), (34, ("critical",)), (36, ()), (60, ())):
        proof.fires(at * MINUTE, *expected, alert="SloMissed", service="bots")
    proof.fires(31 * MINUTE, alert="SloBroken", service="bots").fires(60 * MINUTE, alert="SloUnknown", service="bots")
    notes = {
        "summary": "bots: deadlines of backlog missed in the last 5m: 1",
        "description": "bots promises that nothing waits for longer than 300 s. These did, and are done by now: the "
        "oldest that still waits does not tell of them.",
        "runbook_url": f"{RUNBOOKS}/SloMissed.md",
    }
    proof.says(32 * MINUTE, "SloMissed", {"exp_labels": LABELS, "exp_annotations": notes})
    proof.holds(tmp_path, rule_file(tmp_path, [BACKLOG]))


def test_counters_that_merely_count_apart_have_missed_nothing(tmp_path: Path) -> None:
    """Scraped at moments of their own, two counters of the same differ by a part of an event."""
    proof = done(late_at=1_000)
    proof.series["done_in_time_total"] = [value - 0.4 * (at % 2) for at, value in enumerate(proof.series["done_total"])]
    for at in range(5, 60, 5):
        proof.fires(at * MINUTE, alert="SloMissed", service="bots")
    proof.holds(tmp_path, rule_file(tmp_path, [BACKLOG]))


def test_without_a_count_of_missed_deadlines_nobody_knows(tmp_path: Path) -> None:
    """The age alone does not tell: what was late between two looks is gone."""
    proof = done(late_at=1_000, minutes=90)
    proof.series["done_in_time_total"] = [
        None if at > 20 else value for at, value in enumerate(proof.series["done_in_time_total"])
    ]
    proof.fires(50 * MINUTE, alert="SloUnknown", service="bots")
    proof.fires(60 * MINUTE, "warning", alert="SloUnknown", service="bots")
    proof.holds(tmp_path, rule_file(tmp_path, [BACKLOG]))


# --- budgets ---


def test_a_budget_is_spent_once_all_of_it_is_whatever_the_history(tmp_path: Path) -> None:
    """An hour of history, then nothing works: 0.1 % of 30 days are 43.2 minutes, nine steps of five, and the hold."""
    proof = Proof().requests(steps((HOUR, 600, 0), (2 * HOUR, 600, 1)))
    left = "slo:period_error_budget_remaining:ratio"
    proof.reads(70 * MINUTE, f"{left} < bool 0", {'{service="api",slo="availability",window="30d"}': 1})
    for at, expected in ((90, ()), (118, ()), (121, ("warning",)), (180, ("warning",))):
        proof.fires(at * MINUTE, *expected, alert="SloBudgetSpent")
    proof.holds(tmp_path, rule_file(tmp_path, [availability()]))


def test_a_spent_budget_comes_back_as_the_window_moves_on(tmp_path: Path) -> None:
    """Of six hours at 99 % 3.6 minutes may fail, and eight did."""
    slo = availability(objective=0.99, window=6 * HOUR)
    proof = Proof().requests(steps((6 * HOUR, 600, 0), (8 * MINUTE, 600, 1), (7 * HOUR, 600, 0)))
    labels = {"severity": "warning", "service": "api", "slo": "availability", "window": "6h"}
    notes = {
        "summary": "api: the error budget for availability is spent",
        "description": "api promises 99% over 6h, and more went wrong than that allows: -121% of the budget is left. "
        "It comes back only as the window moves on. What ate it: slo api.",
        "runbook_url": f"{RUNBOOKS}/SloBudgetSpent.md",
    }
    proof.fires(6 * HOUR + 10 * MINUTE, alert="SloBudgetSpent")
    proof.says(8 * HOUR, "SloBudgetSpent", {"exp_labels": labels, "exp_annotations": notes})
    proof.fires(11 * HOUR, "warning", alert="SloBudgetSpent").fires(12.5 * HOUR, alert="SloBudgetSpent")
    proof.holds(tmp_path, rule_file(tmp_path, [slo]))


@pytest.mark.parametrize("least", [0, 100])
def test_a_handful_of_requests_spends_no_budget_worth_a_ticket(tmp_path: Path, least: int) -> None:
    """Sixty requests in two hours, half of which fail."""
    proof = Proof().requests(steps((2 * HOUR, 0.5, 0.5)))
    proof.fires(2 * HOUR, *(() if least else ("warning",)), alert="SloBudgetSpent")
    proof.holds(tmp_path, rule_file(tmp_path, [availability(min_requests=least)]))
