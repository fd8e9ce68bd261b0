"""SLOs: what is left of each budget, how fast it burns, and when nothing will be left. Reads `pult slo rules`."""

from __future__ import annotations

from deploy.monitoring.generate.panels import GREEN, RED, YELLOW, Board, Choice, Panel, Query, Row

_HERE = 'service=~"$service", slo=~"$slo"'
_NAME = "{{service}} {{slo}}"
_DAY = 86400
WINDOWS = (("5m", 14.4), ("1h", 14.4), ("6h", 6), ("3d", 1))
"""Windows of burn that pult tells, and from which burn on each alerts (docs/monitoring.md), for SLOs of 30 days."""


def _burn(window: str) -> str:
    """Objectives of 100 % have no budget to burn."""
    return f"slo:sli_error:ratio_rate{window}{{{_HERE}}} / on (service, slo) (slo:error_budget:ratio{{{_HERE}}} > 0)"


_EXHAUSTION = (
    f"clamp_min(slo:period_error_budget_remaining:ratio{{{_HERE}}}, 0)"
    f" * on (service, slo) slo:time_period:days{{{_HERE}}} * {_DAY}"
    f" / on (service, slo) ({_burn('1h')} > 0)"
)

_GOOD = f"1 - slo:period_burn_rate:ratio{{{_HERE}}} * on (service, slo) slo:error_budget:ratio{{{_HERE}}}"
"""The window's length is in no name here: SLOs of any window are shown."""

_BUDGET = Row(
    "Budget",
    (
        Panel(
            "Left",
            "Share of the budget over the SLO's whole window. Negative: overspent.",
            (Query(f"slo:period_error_budget_remaining:ratio{{{_HERE}}}", _NAME, instant=True),),
            unit="percentunit",
            kind="bargauge",
            least=None,
            most=1,
            limits=((0, YELLOW), (0.25, GREEN)),
            runbooks=("SloBudgetSpent",),
        ),
        Panel(
            "Nothing left in",
            "As it burned over the last hour. Empty: nothing burns.",
            (Query(_EXHAUSTION, _NAME, instant=True),),
            unit="s",
            kind="stat",
        ),
        Panel(
            "Good events, and promised",
            "Over the whole window, as far as it was seen.",
            (
                Query(_GOOD, f"{_NAME} is", instant=True),
                Query(f"slo:objective:ratio{{{_HERE}}}", f"{_NAME} promised", instant=True),
            ),
            unit="percentunit",
            kind="stat",
            least=None,
        ),
        Panel(
            "Budget over time",
            "Below 0 the error budget policy applies.",
            (Query(f"slo:period_error_budget_remaining:ratio{{{_HERE}}}", _NAME),),
            unit="percentunit",
            width=16,
            least=None,
            most=1,
            runbooks=("SloBudgetSpent",),
        ),
        Panel(
            "Seen of the window",
            "Share of the window of which anything was recorded. What was not seen counts neither as good nor as bad.",
            (Query(f"slo:period_seen:ratio{{{_HERE}}}", _NAME),),
            unit="percentunit",
            most=1,
            runbooks=("SloUnknown",),
        ),
    ),
)

_BURNING = Row(
    "Burn: 1 spends the budget exactly in its window",
    tuple(
        Panel(
            f"Over {window}",
            f"The line, {limit:g}, is where it begins to alert for SLOs of 30 days.",
            (Query(_burn(window), _NAME),),
            width=6,
            limits=((limit, RED if limit > 1 else YELLOW),),
            runbooks=("SloBurn",),
        )
        for window, limit in WINDOWS
    ),
)

_EVENTS = Row(
    "Events and deadlines",
    (
        Panel(
            "Events in 5 minutes",
            "All of them, and the bad ones.",
            (
                Query(f"slo:sli_events:increase5m{{{_HERE}}}", f"{_NAME} all"),
                Query(f"slo:sli_errors:increase5m{{{_HERE}}}", f"{_NAME} bad"),
            ),
        ),
        Panel(
            "Oldest that waits",
            "Freshness SLOs: the age of what waits longest.",
            (Query(f"slo:sli_age_seconds:max{{{_HERE}}}", _NAME),),
            unit="s",
            runbooks=("SloBroken",),
        ),
        Panel(
            "Deadlines missed in 5 minutes",
            "Freshness SLOs that count what came too late.",
            (Query(f"slo:sli_missed:increase5m{{{_HERE}}}", _NAME),),
            runbooks=("SloMissed",),
        ),
    ),
)

BOARD = Board(
    uid="slo",
    title="SLOs and error budgets",
    about="What is left of each error budget, how fast it burns, when nothing will be left.",
    choices=(
        Choice("service", "service", "pult_slo_info"),
        Choice("slo", "slo", 'pult_slo_info{service=~"$service"}'),
    ),
    rows=(_BUDGET, _BURNING, _EVENTS),
    firing='alertname=~"Slo.+", service=~"$service"',
    since="now-7d",
)
