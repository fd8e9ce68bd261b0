"""The alert rules: promtool accepts and proves them, and every proof would notice a changed threshold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from bot.domain.trouble import Trouble
from bot.engine.meters import Meters
from handlers.alerting import own
from handlers.webhooks.gitops import DEGRADED, FAILED
from tests.deploy.monitoring import (
    MONITORING,
    OWN_SLOS,
    ROOT,
    RULES,
    RUNBOOKS,
    Rule,
    alerts,
    generated,
    load,
    of_logs,
    promtool,
    rules,
)

OWN = {
    "RegionLost": {"critical", "warning"},
    FAILED: {"warning"},
    DEGRADED: {"critical", "warning"},
    own.DRIFT: {"warning"},
    **{each.value: {"warning"} for each in Trouble},
}
"""Pult's own alerts that no rule raises, and their levels."""

PLANS = {"README", "failover", "failover.ru"}
"""Pages that no alert names: the list, and what is done by plan."""
PROOFS = sorted((MONITORING / "tests").glob("*.yml"))
ALWAYS = "Watchdog"
THRESHOLD = re.compile(r"([<>]=?) ([\d.]+)$", re.MULTILINE)
"""A comparison at the end of a line, as all of ours stand."""
Changes = dict[str, tuple[str, dict[str, Any]]]
TOLD = re.compile(r"\{\{.*?\}\}")


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_promtool_accepts_the_rules(path: Path) -> None:
    done = promtool("check", "rules", "--lint-fatal", path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", PROOFS, ids=lambda path: path.name)
def test_promtool_proves_the_rules(path: Path) -> None:
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_prometheus_configuration() -> None:
    done = promtool("check", "config", MONITORING / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("rules found") == len([*RULES, OWN_SLOS]), "rule_files names them all"


def test_every_file_of_rules_has_its_proofs() -> None:
    assert [path.name for path in PROOFS] == [path.name for path in RULES]
    assert all(load(path)["rule_files"] == [f"../rules/{path.name}"] for path in PROOFS)


@pytest.mark.parametrize("alert", [*alerts(), *of_logs()], ids=str)
def test_an_alert_says_all_that_a_card_shows(alert: Rule) -> None:
    notes = alert.body["annotations"]
    assert alert.severity in ({"none"} if alert.name == ALWAYS else {"critical", "warning", "info"})
    assert {"summary", "description", "runbook_url"} <= notes.keys() <= {*notes, "dashboard"}
    assert len(TOLD.sub("", notes["summary"])) < 110
    assert "$labels.service" in notes["description"] or "service" in alert.body["labels"] or _has_service(alert)
    read = {name for text in notes.values() for name in re.findall(r"\$labels\.(\w+)", text)}
    lost = _kept(alert) is not None and read - (_kept(alert) or set()) - {*alert.body["labels"]}
    assert not lost, "a label that aggregation has dropped would read as nothing"


def _has_service(alert: Rule) -> bool:
    return "service" in (_kept(alert) or set())


def _kept(alert: Rule) -> set[str] | None:
    """The labels that the left-most series of the expression still has. None: whatever it was scraped with."""
    whole = re.sub(r"^(?:1 -|max\(|[\s(])*", "", alert.expr)
    if grouped := re.match(r"(?:histogram_quantile\([\d.]+, )?(?:sum|max|avg|count) by \(([\w, ]+)\)", whole):
        joined = set(re.findall(r"group_left \((\w+)\)", alert.expr))
        return set(grouped[1].split(", ")) | joined
    if recorded := re.match(r"(?:histogram_quantile\([\d.]+, )?(\w+):\w+:\w+", whole):
        return set(recorded[1].split("_"))
    return None


def test_a_name_and_a_severity_are_one_rule() -> None:
    known = [str(alert) for alert in (*alerts(), *of_logs())]
    assert sorted(set(known)) == sorted(known)


def test_runbooks_are_where_the_rules_say() -> None:
    for alert in (*alerts(), *of_logs(), *generated()):
        page = alert.body["annotations"]["runbook_url"].rpartition("/blob/main/")[2]
        assert page == f"docs/runbooks/{alert.name}.md"
        assert (ROOT / page).exists()


def test_what_pult_raises_itself_has_a_page() -> None:
    assert [page for page in own.RUNBOOKS.values() if not (RUNBOOKS / page).exists()] == []
    assert own.RUNBOOKS.keys() >= OWN.keys()


@pytest.mark.parametrize("folder", [RUNBOOKS, RUNBOOKS / "ru"], ids=["en", "ru"])
def test_every_alert_has_a_page_and_no_page_is_orphaned(folder: Path) -> None:
    known = (*alerts(), *of_logs(), *generated())
    names = {alert.name for alert in known} | OWN.keys()
    assert {path.stem for path in folder.glob("*.md")} - PLANS == names
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| ([\w, ]+) \|", (folder / "README.md").read_text(), re.MULTILINE)
    assert {name for name, _ in listed} == names
    levels = {name: {each.severity for each in known if each.name == name} or OWN[name] for name in names}
    told = {name: set(re.findall(r"critical|warning|info|none", words)) for name, words in listed}
    assert told == levels


# --- what rules about pult read is what pult exports ---


def _selectors() -> Iterator[tuple[str, dict[str, str]]]:
    """Every metric of pult that a rule reads, with its matchers."""
    seen: list[Any] = []
    for rule in rules():
        promql_parser.walk(promql_parser.parse(rule.expr), seen.append)
    for node in seen:
        if isinstance(node, promql_parser.VectorSelector) and (node.name or "").startswith("pult_"):
            yield node.name, {matcher.name: matcher.value for matcher in node.matchers.matchers}


def _exported() -> dict[str, set[str]]:
    """Series name → label names, of what the process registers."""
    found: dict[str, set[str]] = {}
    meters = Meters("test")
    for metric in meters.registry._collector_to_names:
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(metric._type, ("",))
        labels = set(metric._labelnames) | ({"le"} if metric._type == "histogram" else set())
        found |= {metric._name + suffix: labels for suffix in suffixes}
    return found


def test_rules_about_pult_read_what_pult_exports() -> None:
    read, exported = list(_selectors()), _exported()
    assert {name for name, _ in read} <= exported.keys()
    scraped = {"job", "instance", "service", "region"}
    assert [(name, label) for name, at in read for label in at if label not in exported[name] | scraped] == []
    assert {"pult_oldest_undelivered_seconds", "pult_outbox_depth", "pult_delivery_total"} <= {name for name, _ in read}


@pytest.mark.parametrize(
    ("metric", "sources"),
    [
        ("pult_delivery_total", ("bot/engine/lane.py",)),
        ("pult_webhook_received_total", ("bot/edge/webhooks.py",)),
    ],
)
def test_results_that_rules_match_are_results_that_pult_counts(metric: str, sources: tuple[str, ...]) -> None:
    words = {word for path in sources for word in re.findall(r'"(\w+)"', (ROOT / path).read_text())}
    matched = {one for name, at in _selectors() if name == metric for one in at.get("result", "").split("|") if one}
    assert matched
    assert matched <= words


# --- the proofs notice a change ---


def _changes(alert: Rule) -> Iterator[tuple[str, dict[str, Any]]]:
    """What could be wrong with it, each with the rule as it would then be."""
    for match in THRESHOLD.finditer(alert.expr):
        for factor in (0.8, 2) if float(match[2]) else ():
            told = f"{match[1]} {float(match[2]) * factor:g}"
            expr = alert.expr[: match.start()] + told + alert.expr[match.end() :]
            yield f"{match[0]} at {match.start()} becomes {told}", alert.body | {"expr": expr}
    if "for" in alert.body:
        yield "fires at once", alert.body | {"for": "0s"}
        yield "waits twice as long", alert.body | {"for": f"{2 * int(alert.body['for'][:-1])}m"}


@pytest.mark.parametrize("alert", [alert for alert in alerts() if alert.name != ALWAYS], ids=str)
def test_the_proofs_notice_a_change(alert: Rule, tmp_path: Path) -> None:
    """No proof passes whatever the rule says: each change, under a name of its own, makes promtool fail."""
    changes = {f"{alert.name}{at}x": change for at, change in enumerate(_changes(alert))}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(_changed(alert, changes)))
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(_judged(alert, changes)))
    done = promtool("test", "rules", tmp_path / "tests.yml")
    assert alert.name in done.stdout + done.stderr, "promtool tells what failed"
    assert [what for name, (what, _) in changes.items() if name not in done.stdout + done.stderr] == []


def _changed(alert: Rule, changes: Changes) -> Any:
    """The file of rules, with every change added beside the rule and what shares its name."""
    whole = deepcopy(load(MONITORING / "rules" / alert.file))
    twins = [each.body for each in alerts() if each.name == alert.name and each.body != alert.body]
    added = [rule | {"alert": name} for name, (_, changed) in changes.items() for rule in (changed, *twins)]
    whole["groups"][-1]["rules"] += added
    return whole


def _judged(alert: Rule, changes: Changes) -> Any:
    """The alert's own proofs, asked of every change."""
    proofs = deepcopy(load(MONITORING / "tests" / alert.file))
    mine = [test for test in proofs["tests"] if test["name"].startswith(f"{alert.name}:")]
    for test in mine:
        told = [each for each in test.get("alert_rule_test", []) if each["alertname"] == alert.name]
        test["alert_rule_test"] = [each | {"alertname": name} for each in told for name in changes]
        asked = yaml.safe_dump([each for each in test.get("promql_expr_test", []) if alert.name in each["expr"]])
        test["promql_expr_test"] = [
            each for name in changes for each in yaml.safe_load(asked.replace(alert.name, name))
        ]
    return proofs | {"rule_files": ["rules.yml"], "tests": mine}
