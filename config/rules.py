"""Policy and freezes of the configuration in the words of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.freezes import Once, Weekly, Window
from bot.domain.hours import DAYS
from bot.domain.policy import DEFAULTS, Condition, More, Policy, Rule
from config.people import RuleSettings
from config.policy import ConditionSettings, FreezeSettings

DAY = timedelta(days=1)


def policy(rules: Mapping[str, RuleSettings], zone: str) -> Policy:
    """*zone*: the chat's, in which conditions tell the time."""
    return Policy({action: _rule(DEFAULTS[action], rule) for action, rule in rules.items()}, zone)


def window(freeze: FreezeSettings, zone: str) -> Window:
    """One configured freeze; times without a zone of their own are in *zone*."""
    when: Weekly | Once | None = _weekly(freeze.weekly, zone) if freeze.weekly else None
    if freeze.begins and freeze.ends:
        when = once(freeze.begins, freeze.ends, zone)
    if when is None:
        raise ValueError("a freeze without a time")  # the settings class has seen that there is one
    return Window(when, freeze.why, freeze.services)


def once(begins: date | datetime, ends: date | datetime, zone: str) -> Once:
    """From *begins* to *ends*; a date is a whole day."""
    last = ends if isinstance(ends, datetime) else ends + DAY
    return Once(_moment(begins, zone), _moment(last, zone))


def _weekly(written: str, zone: str) -> Weekly:
    (day, begins), (last, ends) = (part.split() for part in written.split(" - "))
    return Weekly(DAYS.index(day), time.fromisoformat(begins), DAYS.index(last), time.fromisoformat(ends), zone)


def _moment(written: date | datetime, zone: str) -> datetime:
    at = written if isinstance(written, datetime) else datetime(written.year, written.month, written.day)  # noqa: DTZ001
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _rule(default: Rule, rule: RuleSettings) -> Rule:
    given = {name: value for name in rule.model_fields_set if (value := getattr(rule, name)) is not None}
    if rule.more:
        given["more"] = tuple(More(_condition(more.when), more.approvals, more.why) for more in rule.more)
    return replace(default, **given)


def _condition(when: ConditionSettings) -> Condition:
    return Condition(
        budget_below=when.budget_below,
        weekdays=frozenset(map(DAYS.index, when.weekdays)),
        begins=time.fromisoformat(when.begins) if when.begins else None,
        ends=time.fromisoformat(when.ends) if when.ends else None,
        migrations=bool(when.migrations),
        environments=when.environments,
    )
