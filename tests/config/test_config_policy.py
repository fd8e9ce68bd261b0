"""When an action takes more people, what holds it, and when nothing is promoted, as the file says it."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from bot.domain.errors import NotReadyError
from bot.domain.freezes import Once, Weekly, Window
from bot.domain.policy import DEFAULTS, Condition, More
from config.department import Department, department
from config.loader import parse

HEAD = """
[chat]
timezone = "Europe/Berlin"
[[routes]]
to = ["console:ops"]
[[clusters]]
name = "nyc2"
region = "nyc2"
[[services]]
name = "api"
namespace = "production"
clusters = ["nyc2"]
[[services.environments]]
name = "production"
cluster = "nyc2"
namespace = "production"
"""


def read(text: str) -> Department:
    return department(parse(HEAD + text, Path("pult.toml"), {}))


def refused(text: str) -> str:
    with pytest.raises(NotReadyError) as error:
        read(text)
    return str(error.value)


def test_a_rule_in_full() -> None:
    rule = read("""
[policy.promote]
override = ["lead", "boss"]
floor = 5
[[policy.promote.more]]
when = { budget_below = 25, weekdays = ["Fri", "Sun"], from = "15:00", to = "02:00", migrations = true }
approvals = 3
why = "  careful  "
[[policy.promote.more]]
when = { environments = ["production"] }
approvals = 2
why = "production"
""").policy.rule("promote")
    assert (rule.override, rule.floor, rule.overriders) == ({"lead", "boss"}, 5.0, {"lead", "boss"})
    assert rule.more == (
        More(Condition(25.0, frozenset({4, 6}), time(15), time(2), migrations=True), 3, "careful"),
        More(Condition(environments=frozenset({"production"})), 2, "production"),
    )
    assert rule.freezes, "what is not written keeps the action's default"


def test_the_policy_tells_the_time_in_the_chats_zone() -> None:
    assert read("").policy.zone == "Europe/Berlin"
    assert read("").policy.rule("promote") == DEFAULTS["promote"]
    assert DEFAULTS["promote"].overriders == {"sre"}


def test_windows() -> None:
    found = read("""
[[freezes]]
weekly = "Fri 18:00 - Mon 08:00"
why = "the weekend"
[[freezes]]
services = ["api"]
from = 2026-12-24
to = 2026-12-26
why = "whole days"
[[freezes]]
from = 2026-07-01T12:00:00
to = 2026-07-01T12:00:00Z
why = "the chat's zone, and another"
""").freezes
    assert found == (
        Window(Weekly(4, time(18), 0, time(8), "Europe/Berlin"), "the weekend"),
        Window(
            Once(datetime(2026, 12, 23, 23, tzinfo=UTC), datetime(2026, 12, 26, 23, tzinfo=UTC)),
            "whole days",
            frozenset({"api"}),
        ),
        Window(
            Once(datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)),
            "the chat's zone, and another",
        ),
    )


FRI = 'when = { weekdays = ["Fri"] }'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"[[policy.promote.more]]\n{FRI}\napprovals = 0\nwhy = 'x'", "policy.promote.more[#1].approvals"),
        (f"[[policy.promote.more]]\n{FRI}\napprovals = 2", "policy.promote.more[#1].why"),
        (f"[[policy.promote.more]]\n{FRI}\napprovals = 2\nwhy = '  '", "policy.promote.more[#1].why"),
        ("[[policy.promote.more]]\nwhen = {}\napprovals = 2\nwhy = 'x'", "at least one condition"),
        ("[[policy.promote.more]]\nwhen = { weekdays = ['Fry'] }\napprovals = 2\nwhy = 'x'", "did you mean Fri?"),
        ("[[policy.promote.more]]\nwhen = { from = '25:00' }\napprovals = 2\nwhy = 'x'", 'a time of day: "18:00"'),
        (
            "[[policy.promote.more]]\nwhen = { from = '15:00', to = '15:00' }\napprovals = 2\nwhy = 'x'",
            "two different times of day",
        ),
        ("[[policy.promote.more]]\nwhen = { migrations = false }\napprovals = 2\nwhy = 'x'", "when.migrations"),
        (
            "[[policy.promote.more]]\nwhen = { environments = ['prod'] }\napprovals = 2\nwhy = 'x'",
            'policy.promote.more[#1].when.environments: found "prod"',
        ),
        (
            "[[policy.restart.more]]\nwhen = { budget_below = 5.0 }\napprovals = 2\nwhy = 'x'",
            "policy.restart.more[#1].when.budget_below: found a condition on the release",
        ),
        (
            "[[policy.restart.more]]\nwhen = { migrations = true }\napprovals = 2\nwhy = 'x'",
            "policy.restart.more[#1].when.migrations: found a condition on the release",
        ),
        ("[policy.rollback]\nfloor = 0.0", "policy.rollback.floor: found 0"),
        ("[policy.promote]\nfloor = 101.0", "policy.promote.floor"),
        ("[policy.promote]\noverrides = ['lead']", "did you mean override?"),
        ("[[freezes]]\nwhy = 'x'", "either weekly, or from and to"),
        ("[[freezes]]\nwhy = 'x'\nfrom = 2026-01-01", "either weekly, or from and to"),
        (
            "[[freezes]]\nwhy = 'x'\nweekly = 'Fri 18:00 - Mon 08:00'\nfrom = 2026-01-01",
            "either weekly, or from and to",
        ),
        ("[[freezes]]\nwhy = 'x'\nweekly = 'Fri 18:00-Mon 08:00'", 'two days and times: "Fri 18:00 - Mon 08:00"'),
        ("[[freezes]]\nwhy = 'x'\nweekly = 'Fri 18:00 - Fri 18:00'", "frozen for good"),
        ("[[freezes]]\nweekly = 'Fri 18:00 - Mon 08:00'", "freezes[#1].why"),
        ("[[freezes]]\nwhy = 'x'\nfrom = 2026-01-02\nto = 2026-01-01", "freezes[#1].to"),
        (
            "[[freezes]]\nwhy = 'x'\nfrom = 2026-07-01T12:00:00\nto = 2026-07-01T10:00:00Z",
            "allowed is a time after from",
        ),
        (
            "[[freezes]]\nwhy = 'x'\nservices = ['apy']\nweekly = 'Fri 18:00 - Mon 08:00'",
            'freezes[#1].services: found "apy"',
        ),
    ],
)
def test_what_can_not_be_meant(text: str, told: str) -> None:
    assert told in refused(text)
