"""When more people must press, and what holds a plan."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conditions import Demand, Facts, demanded, imposed
from bot.domain.freezes import Freeze
from bot.domain.phrases import phrase
from bot.domain.plans import Hold
from bot.domain.policy import DEFAULTS, Condition, More, Rule
from tests.domain.builders import plan

FRIDAY = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
FRI, SAT = frozenset({4}), frozenset({5})
FROZEN = Freeze("api", FRIDAY + timedelta(hours=2), "the migration", "anna")


def facts(**changes: object) -> Facts:
    values = {"now": FRIDAY, "environment": "production", "budgets": {"availability": 80.0}, **changes}
    return Facts(**values)  # type: ignore[arg-type]


def rule(*more: More, **changes: object) -> Rule:
    return Rule(more=more, **changes)  # type: ignore[arg-type]


def two(**when: object) -> Rule:
    return rule(More(Condition(**when), 2, "careful"))  # type: ignore[arg-type]


def asks(of: Rule, **known: object) -> int:
    return demanded(of, facts(**known)).approvals


def said(demand: Demand) -> str:
    return "; ".join(reason.plain() for reason in demand.because)


def test_a_rule_without_conditions_asks_for_nothing() -> None:
    assert demanded(Rule(), facts(migrations=True, freeze=FROZEN)) == Demand(0, (), ())


@pytest.mark.parametrize(("left", "people"), [(24.9, 2), (25.0, 0), (80.0, 0), (-300.0, 2), (None, 2)])
def test_a_low_budget_and_one_that_nobody_knows_ask_for_more(left: float | None, people: int) -> None:
    assert asks(two(budget_below=25.0), budgets={"latency": 99.0, "availability": left}) == people


def test_a_service_without_slos_has_no_budget_to_be_low() -> None:
    assert asks(two(budget_below=25.0), budgets={}) == 0


def test_the_reason_names_the_budgets() -> None:
    demand = demanded(two(budget_below=25.0), facts(budgets={"availability": 12.34, "latency": None, "rest": 90.0}))
    assert said(demand) == "careful (budget of availability: 12.3\N{NO-BREAK SPACE}% left; budget of latency: unknown)"


@pytest.mark.parametrize(("known", "people"), [(True, 2), (None, 2), (False, 0)])
def test_data_changes_and_what_nobody_knows_of_them_ask_for_more(known: bool | None, people: int) -> None:
    demand = demanded(two(migrations=True), facts(migrations=known))
    assert demand.approvals == people
    assert ("not known" in said(demand)) is (known is None)


@pytest.mark.parametrize(
    ("when", "met"),
    [
        ({"weekdays": FRI}, True),
        ({"weekdays": SAT}, False),
        ({"weekdays": FRI, "begins": time(16)}, True),
        ({"weekdays": FRI, "begins": time(16, 1)}, False),
        ({"weekdays": FRI, "ends": time(16)}, False),
        ({"weekdays": FRI, "ends": time(16, 1)}, True),
        ({"begins": time(15), "ends": time(17)}, True),
        ({"begins": time(17), "ends": time(15)}, False),
        ({"begins": time(17), "ends": time(16, 30)}, True),
        ({"environments": frozenset({"production"})}, True),
        ({"environments": frozenset({"staging"})}, False),
        ({"weekdays": FRI, "environments": frozenset({"staging"})}, False),
    ],
    ids=str,
)
def test_days_hours_and_environments(when: dict[str, object], met: bool) -> None:
    assert asks(two(**when)) == (2 if met else 0)


@pytest.mark.parametrize(("hour", "day", "met"), [(23, 6, True), (2, 7, True), (2, 6, False), (7, 7, False)])
def test_a_night_belongs_to_the_day_it_began_on(hour: int, day: int, met: bool) -> None:
    night = two(weekdays=FRI, begins=time(22), ends=time(6))
    assert asks(night, now=datetime(2026, 3, day, hour, tzinfo=UTC)) == (2 if met else 0)


def test_the_strictest_condition_counts_and_every_reason_is_said_once() -> None:
    many = rule(
        More(Condition(weekdays=FRI), 2, "it is Friday"),
        More(Condition(migrations=True), 3, "data"),
        More(Condition(weekdays=SAT), 9, "never"),
        More(Condition(begins=time(9)), 2, "it is Friday"),
    )
    demand = demanded(many, facts(migrations=True))
    assert (demand.approvals, said(demand)) == (3, "it is Friday; data")


@pytest.mark.parametrize(("left", "held"), [(0.1, False), (0.0, True), (-5.0, True), (None, True)])
def test_the_floor_holds_what_is_spent_or_not_known(left: float | None, held: bool) -> None:
    demand = demanded(Rule(floor=0.0), facts(budgets={"availability": left}))
    assert [hold.name for hold in demand.holds] == ["budget"] * held
    if held:
        assert ("unknown" in demand.holds[0].why.plain()) is (left is None)


def test_an_unknown_budget_holds_nothing_where_there_is_no_floor() -> None:
    assert demanded(Rule(), facts(budgets={"availability": None})).holds == ()


def test_a_freeze_holds_promotions_and_never_the_way_back() -> None:
    [hold] = demanded(DEFAULTS["promote"], facts(freeze=FROZEN)).holds
    assert (hold.name, "frozen until" in hold.why.plain(), "the migration" in hold.why.plain()) == (
        "freeze",
        True,
        True,
    )
    assert {action for action, each in DEFAULTS.items() if demanded(each, facts(freeze=FROZEN)).holds} == {"promote"}


def test_what_is_imposed_twice_is_imposed_once() -> None:
    demand = Demand(2, (phrase("it is Friday"),), (Hold("freeze", phrase("now")),))
    once = imposed(plan(), demand)
    assert imposed(once, demand) == once
    assert (once.approvals, once.because, once.holds) == (demand.approvals, demand.because, demand.holds)
    assert once.hash != plan().hash, "whoever approves approves under these conditions"
    stricter = imposed(plan(approvals=3, holds=(Hold("freeze", phrase("before")),)), demand)
    assert (stricter.approvals, [hold.why.plain() for hold in stricter.holds]) == (3, ["before"])


CONDITIONS = st.builds(
    Condition,
    budget_below=st.none() | st.floats(-10, 100),
    weekdays=st.frozensets(st.integers(0, 6)),
    begins=st.none() | st.times(),
    ends=st.none() | st.times(),
    migrations=st.booleans(),
    environments=st.frozensets(st.sampled_from(["staging", "production"])),
)
RULES = st.builds(
    lambda more, floor: Rule(more=tuple(more), floor=floor),
    st.lists(st.builds(More, CONDITIONS, st.integers(1, 5), st.just("why"))),
    st.none() | st.floats(-10, 100),
)
KNOWN = st.builds(
    Facts,
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    environment=st.sampled_from(["staging", "production"]),
    budgets=st.dictionaries(st.sampled_from(["a", "b"]), st.floats(-100, 100)),
    migrations=st.booleans(),
)


@given(RULES, KNOWN)
def test_knowing_less_never_asks_for_less(of: Rule, known: Facts) -> None:
    """Promise 14: what is not known counts as met."""
    blind = Facts(known.now, known.environment, dict.fromkeys(known.budgets), None)
    before, after = demanded(of, known), demanded(of, blind)
    assert after.approvals >= before.approvals
    assert {hold.name for hold in after.holds} >= {hold.name for hold in before.holds}


@given(RULES, KNOWN)
def test_what_the_clock_alone_tells_is_part_of_the_whole(of: Rule, known: Facts) -> None:
    whole, alone = demanded(of, known), demanded(of.plain, Facts(known.now, known.environment, {}))
    assert alone.approvals <= whole.approvals
    assert all(reason in whole.because for reason in alone.because)
