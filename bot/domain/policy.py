"""Policy: who may do what, and how many people it takes. Defaults are rulings 4, 25 and 28."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta

from bot.domain.people import Directory, Person


@dataclass(frozen=True)
class Condition:
    """Every part that is set must be met; what is not known counts as met (promise 14).

    ``budget_below``: percent of the error budget left, of any SLO of the service. ``weekdays``: Monday is 0; ``begins``
    and ``ends`` are times of the day in the chat's zone and may pass midnight, the day is then the one they began on.
    ``migrations``: the release changes data. ``environments``: where it goes.
    """

    budget_below: float | None = None
    weekdays: frozenset[int] = frozenset()
    begins: time | None = None
    ends: time | None = None
    migrations: bool = False
    environments: frozenset[str] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether the clock and the plan alone tell if it is met."""
        return self.budget_below is None and not self.migrations


@dataclass(frozen=True)
class More:
    """``when`` it is met, at least ``approvals`` people must press; ``why`` is the department's own reason."""

    when: Condition
    approvals: int
    why: str


@dataclass(frozen=True)
class Rule:
    """``approvals`` people must press, or ``more``; with ``four_eyes`` the proposer is not one of them.

    ``floor``: percent of an error budget left at which, and below, a plan is held; None: none. ``freezes``: a freeze
    holds it. ``require``: evidence that must be known and good, by the names of bot/domain/proofs.py; ``soak``: how
    long a version must have run well in the environment before. ``override``: roles that may override a hold; none:
    those that may approve. ``break_glass``: the role that may go on alone.
    """

    roles: frozenset[str] = frozenset({"sre"})
    approvals: int = 1
    four_eyes: bool = False
    expires: timedelta = timedelta(minutes=30)
    environments: frozenset[str] = frozenset()
    break_glass: str = ""
    override: frozenset[str] = frozenset()
    more: tuple[More, ...] = ()
    floor: float | None = None
    freezes: bool = False
    require: frozenset[str] = frozenset()
    soak: timedelta = timedelta(0)

    @property
    def overriders(self) -> frozenset[str]:
        """Roles that may override a hold."""
        return self.override or self.roles

    @property
    def plain(self) -> Rule:
        """This rule with only those conditions that the clock and the plan alone tell."""
        return replace(self, more=tuple(more for more in self.more if more.when.plain), floor=None)


AT_ONCE = ("ack", "silence", "unsilence", "oncall", "page", "sync", "freeze", "unfreeze", "cancel", "resume")
ONE_PRESS = ("restart", "scale", "undo", "rollback", "rightsize", "posture", "drill", "cordon", "uncordon", "drain")
DEFAULTS: Mapping[str, Rule] = {
    **{action: Rule(approvals=0) for action in AT_ONCE},
    **{action: Rule(approvals=1) for action in ONE_PRESS},
    "promote": Rule(approvals=1, four_eyes=True, freezes=True),
    "failover": Rule(approvals=1, four_eyes=True),
}


LIKE: Mapping[str, str] = {"attest": "failover"}
"""Actions that have no rule of their own: stating that a primary is off takes whom a failover takes (ruling 25)."""


@dataclass(frozen=True)
class Policy:
    """The department's rules, one per action; an action without one gets the default. ``zone``: the chat's."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    zone: str = "UTC"

    def rule(self, action: str) -> Rule:
        """KeyError for an action that does not exist: a programming error, never a person's."""
        asked = LIKE.get(action, action)
        return self.rules.get(asked) or DEFAULTS[asked]

    def allows(self, person: Person, action: str, environment: str = "") -> bool:
        """Whether *person* may propose, approve or do *action* (in *environment*, where the rule names some)."""
        rule = self.rule(action)
        return self.covers(action, environment) and bool(person.roles & rule.roles)

    def covers(self, action: str, environment: str) -> bool:
        """Whether *action* is allowed in *environment* at all; without one there is nothing to refuse."""
        named = self.rule(action).environments
        return not environment or not named or environment in named


def too_few(policy: Policy, people: Directory) -> Iterator[tuple[str, int, int]]:
    """Actions that may ask for more people than could ever press: the action, so many, and how many there are."""
    for action in DEFAULTS:
        rule = policy.rule(action)
        most = max((rule.approvals, *(more.approvals for more in rule.more)))
        able = len(people.holding(rule.roles))
        able -= rule.four_eyes and able > 0
        if most > able:
            yield action, most, able


def vacant(policy: Policy, people: Directory) -> Iterator[tuple[str, str]]:
    """Roles that the policy counts on in an emergency and that nobody has: the action, the role."""
    for action, rule in policy.rules.items():
        for role in sorted(rule.override | ({rule.break_glass} - {""})):
            if not people.holding({role}):
                yield action, role
