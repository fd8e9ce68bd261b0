"""What the facts of the moment ask of a plan: more approvals than usual, and what must hold it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.freezes import EVERYTHING, Freeze
from bot.domain.phrases import Phrase, Quantity, in_line, phrase, verbatim
from bot.domain.plans import Hold, Plan
from bot.domain.policy import Condition, More, Rule

FREEZE, BUDGET = "freeze", "budget"
"""Names of holds, as people type them to override one."""


@dataclass(frozen=True)
class Facts:
    """``now`` is aware and in the chat's zone. ``budgets``: of each SLO of the service, percent left; None: not known.

    ``migrations``: whether the release changes data, None: not known. ``freeze``: the one that covers the service now.
    """

    now: datetime
    environment: str
    budgets: Mapping[str, float | None]
    migrations: bool | None = None
    freeze: Freeze | None = None


@dataclass(frozen=True)
class Demand:
    """At least ``approvals`` people (0: no more than the rule), ``because`` of what; what must be overridden first."""

    approvals: int
    because: tuple[Phrase, ...]
    holds: tuple[Hold, ...]


def demanded(rule: Rule, facts: Facts) -> Demand:
    """What *rule* asks of a plan under these *facts*, for the plan's fields of the same names."""
    met = [more for more in rule.more if _met(more.when, facts)]
    return Demand(
        max((more.approvals for more in met), default=0),
        _distinct(_reason(more, facts) for more in met),
        (*_frozen(rule, facts), *_spent(rule, facts)),
    )


def imposed(plan: Plan, demand: Demand) -> Plan:
    """*plan* with what is asked of it, besides what it says itself; the same asked twice is asked once."""
    known = {hold.name for hold in plan.holds}
    return replace(
        plan,
        approvals=max(plan.approvals, demand.approvals),
        because=_distinct((*plan.because, *demand.because)),
        holds=(*plan.holds, *(hold for hold in demand.holds if hold.name not in known)),
    )


def _distinct(reasons: Iterable[Phrase]) -> tuple[Phrase, ...]:
    found: list[Phrase] = []
    for reason in reasons:
        if reason not in found:
            found.append(reason)
    return tuple(found)


def _met(when: Condition, facts: Facts) -> bool:
    return (
        (not when.environments or facts.environment in when.environments)
        and (not when.migrations or facts.migrations is not False)
        and (when.budget_below is None or bool(_low(when.budget_below, facts.budgets)))
        and _timely(when, facts.now)
    )


def _timely(when: Condition, now: datetime) -> bool:
    """Hours that pass midnight belong to the day they began on."""
    begins, ends, clock = when.begins, when.ends, now.time()
    day = now.weekday()
    if begins is not None and ends is not None and begins >= ends:
        if begins > clock >= ends:
            return False
        if clock < ends:
            day = (now - timedelta(days=1)).weekday()
    elif (begins is not None and clock < begins) or (ends is not None and clock >= ends):
        return False
    return not when.weekdays or day in when.weekdays


def _low(bound: float, budgets: Mapping[str, float | None]) -> list[tuple[str, float | None]]:
    """Those below *bound*; what is not known is."""
    return [(name, left) for name, left in budgets.items() if left is None or left < bound]


def _reason(more: More, facts: Facts) -> Phrase:
    why = verbatim(more.why)
    if more.when.budget_below is not None:
        return phrase("{why} ({budgets})", why=why, budgets=_told(_low(more.when.budget_below, facts.budgets)))
    if more.when.migrations and facts.migrations is None:
        return phrase("{why} (whether it changes data is not known)", why=why)
    return why


def _told(budgets: Iterable[tuple[str, float | None]]) -> Phrase:
    return in_line((_left(name, left) for name, left in budgets), "; ")


def _left(name: str, left: float | None) -> Phrase:
    if left is None:
        return phrase("budget of {slo}: unknown", slo=name)
    return phrase("budget of {slo}: {left} left", slo=name, left=Quantity(left, "%", 1))


def _frozen(rule: Rule, facts: Facts) -> Iterable[Hold]:
    freeze = facts.freeze
    if freeze is not None and rule.freezes:
        yield Hold(FREEZE, told(freeze))


def told(freeze: Freeze) -> Phrase:
    """What is frozen, until when, by whom and why, in one sentence."""
    who = phrase("{person}", person=freeze.by) if freeze.by else phrase("the calendar")
    what = phrase("Everything") if freeze.service == EVERYTHING else verbatim(freeze.service)
    return phrase(
        "{what} is frozen until {until} by {who}: {why}", what=what, until=freeze.until, who=who, why=freeze.why
    )


def _spent(rule: Rule, facts: Facts) -> Iterable[Hold]:
    """A budget that is not known holds as one that is spent does (promise 14)."""
    if rule.floor is None:
        return
    low = [(name, left) for name, left in facts.budgets.items() if left is None or left <= rule.floor]
    if low:
        floor = Quantity(rule.floor, "%", 1)
        yield Hold(BUDGET, phrase("The floor is {floor}; {budgets}", floor=floor, budgets=_told(low)))
