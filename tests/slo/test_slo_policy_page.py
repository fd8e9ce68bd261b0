"""``pult slo policy``: the page says what the configuration says, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from bot.cli.sample import sample
from config.loader import EXAMPLE

PROMOTE = """
[policy.promote]
roles = ["sre"]
approvals = 1
override = ["lead", "cto"]
floor = 12.5
[[policy.promote.more]]
when = { budget_below = 20.0 }
approvals = 2
why = "low | very low"
[[policy.promote.more]]
when = { budget_below = 50.0, environments = ["production"], from = "22:00" }
approvals = 3
why = "half of it"
[[policy.promote.more]]
when = { weekdays = ["Sat", "Sun"] }
approvals = 4
why = "weekend"
"""


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["slo", "policy", *map(str, arguments)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration that ``pult simulate`` prints, with no word of its own on promotions."""
    path = tmp_path / "pult.toml"
    text = sample("http://127.0.0.1:9000", port=8080, store="sqlite:///pult.db", kubeconfig="kubeconfig")
    path.write_text(re.sub(r"\[policy\.promote\]\n(?:[^\[\n].*\n)*", "", text))
    return path


def told(config: Path, more: str = "", *arguments: str) -> str:
    config.write_text(config.read_text() + more)
    answer = called("--config", config, *arguments)
    assert (answer.exit_code, answer.stderr) == (0, "")
    return answer.stdout.replace("\N{NO-BREAK SPACE}", " ")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under *heading*, without its head."""
    part = page.split(f"{heading}\n", 1)[1]
    lines = re.findall(r"^\| .+ \|$", part.split("\n#", 1)[0], re.MULTILINE)[1:]
    return [re.split(r" (?<!\\)\| ", line[2:-2]) for line in lines]


def test_budgets_are_what_the_objectives_leave(config: Path) -> None:
    page = told(config)
    assert rows(page, "## What is promised") == [
        ["api", "availability", "99.9 %", "30 d", "43 min 12 s"],
        ["api", "latency", "99 % within 1 s", "30 d", "7 h 12 min"],
        ["bots", "availability", "99.5 %", "30 d", "3 h 36 min"],
        ["bots", "processing", "nothing waits longer than 5 min, ever", "30 d", "none"],
    ]


def test_other_windows_have_other_budgets_and_burns(config: Path) -> None:
    config.write_text(config.read_text().replace("objective = 99.9\n", 'objective = 99.95\nwindow = "7d"\n'))
    page = told(config)
    assert rows(page, "## What is promised")[0][2:] == ["99.95 %", "7 d", "5 min 2 s"]
    gets_up = rows(page, "## Who is told, and when")[0][2]
    assert gets_up == "2 % of it gone in 15 min (burn 13.44×), or 5 % of it gone in 1 h 30 min (burn 5.6×)"


def test_what_follows_stands_in_the_order_in_which_a_budget_meets_it(config: Path) -> None:
    found = rows(told(config, PROMOTE), "### `promote`")
    assert found == [
        ["always", "1 approval of sre; the proposer's own does not count"],
        [
            "less than 50 % of the budget left, from 22:00 to 24:00 (Europe/Moscow), to production",
            "3 approvals: half of it",
        ],
        ["less than 20 % of the budget left", "2 approvals: low \\| very low"],
        [
            "12.5 % of the budget left, or less",
            "held, until cto or lead overrides it with a reason, which the audit trail keeps",
        ],
        ["on Saturdays, Sundays", "4 approvals: weekend"],
    ]


def test_without_a_rule_on_budgets_it_says_that_nothing_follows(config: Path) -> None:
    page = told(config)
    assert "No rule of `[policy.promote]` heeds a budget: nothing changes as it falls." in page
    assert "### `" not in page


def test_who_may_override_are_those_who_may_approve_unless_said_otherwise(config: Path) -> None:
    page = told(config, PROMOTE.replace('override = ["lead", "cto"]\n', ""))
    assert "held, until sre overrides it" in page


def test_only_services_with_a_promise_are_judged_by_it(config: Path) -> None:
    assert {row[0] for row in rows(told(config), "## When a new version burns it")} == {"api", "bots"}
    text = config.read_text()
    begun = text.index('[[slos]]\nservice = "bots"')
    config.write_text(text[:begun] + text[text.index("[github]") :])
    assert {row[0] for row in rows(told(config), "## When a new version burns it")} == {"api"}


def test_without_a_digest_none_is_promised(config: Path) -> None:
    assert "in the digest" in told(config)
    config.write_text(config.read_text().replace("[chat]\n", '[chat]\nslo_digest = ""\n'))
    assert "in the digest" not in told(config)


def test_in_russian_only_names_and_reasons_are_foreign() -> None:
    page = called("--config", EXAMPLE, "--locale", "ru").stdout
    text = re.sub(r"`[^`]+`|: [A-Za-z ]+ \|", "", page)
    names = {"api", "pult", "toml", "SLO", "Europe", "Moscow", "lead", "sre", "production", "sfo", "backlog", "latency"}
    foreign = set(re.findall(r"[A-Za-z]{2,}", text)) - names
    assert foreign <= {"availability", "checkout", "response", "processing"}
    assert "| api | availability | 99,9 % |" in page


def test_without_slos_there_is_no_budget(config: Path) -> None:
    text = config.read_text()
    head, tail = text.split("[[slos]]", 1)[0], "[github]" + text.split("[github]", 1)[1]
    config.write_text(head + tail)
    answer = called("--config", config)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith("pult: no SLO is configured")
