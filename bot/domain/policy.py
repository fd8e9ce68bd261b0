"""Policy: who may do what, and how many people it takes. Defaults are rulings 4, 25 and 28."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.people import Person


@dataclass(frozen=True)
class Rule:
    """``approvals`` people must press; with ``four_eyes`` the proposer is not one of them."""

    roles: frozenset[str] = frozenset({"sre"})
    approvals: int = 1
    four_eyes: bool = False
    expires: timedelta = timedelta(minutes=30)
    environments: frozenset[str] = frozenset()
    break_glass: str = ""


AT_ONCE = ("ack", "silence", "unsilence", "oncall", "page", "sync", "freeze", "unfreeze", "cancel", "resume")
ONE_PRESS = ("restart", "scale", "undo", "rollback", "rightsize", "drill", "cordon", "drain")
DEFAULTS: Mapping[str, Rule] = {
    **{action: Rule(approvals=0) for action in AT_ONCE},
    **{action: Rule(approvals=1) for action in ONE_PRESS},
    "promote": Rule(approvals=1, four_eyes=True),
    "failover": Rule(approvals=1, four_eyes=True),
}


@dataclass(frozen=True)
class Policy:
    """The department's rules, one per action; an action without one gets the default."""

    rules: Mapping[str, Rule] = field(default_factory=dict)

    def rule(self, action: str) -> Rule:
        """KeyError for an action that does not exist: a programming error, never a person's."""
        return self.rules.get(action) or DEFAULTS[action]

    def allows(self, person: Person, action: str, environment: str = "") -> bool:
        """Whether *person* may propose, approve or do *action* (in *environment*, where the rule names some)."""
        rule = self.rule(action)
        if environment and rule.environments and environment not in rule.environments:
            return False
        return bool(person.roles & rule.roles)
