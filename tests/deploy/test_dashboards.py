"""The dashboards: of the form that Grafana needs, and every query asks for what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser as promql
import pytest

from bot.simulator.loki.logql import QueryError, parse
from deploy.monitoring.generate import __main__ as generate
from tests.deploy.monitoring import BOARDS, RUNBOOKS, alerts, load, of_logs, rules
from tests.deploy.queries import Asked, asked, boards, kept, known, level, of_slos, outside, recorded, selectors, wrong

BIN = Path(sys.executable).parent
SCHEMA = Path(__file__).with_name("dashboard.schema.json")
LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
EACH = pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
LINES = {"app", "cluster", "namespace", "region", "container", "job", "level"}
"""What config.alloy keeps as labels of log lines."""


@pytest.mark.parametrize(("path", "text"), generate.files().items(), ids=lambda value: getattr(value, "name", ""))
def test_what_is_made_is_what_make_monitoring_writes(path: Path, text: str) -> None:
    assert path.read_text() == text, "run `make monitoring`"


def test_no_dashboard_is_left_over() -> None:
    assert [path.stem for path in BOARDS] == sorted(board.uid for board in generate.BOARDS)


def test_dashboards_have_the_form_that_grafana_needs() -> None:
    command = [str(BIN / "check-jsonschema"), "--schemafile", str(SCHEMA), *map(str, BOARDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@EACH
def test_panels_have_numbers_of_their_own_and_do_not_overlap(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert sorted(set(numbers)) == sorted(numbers)
    for one, two in combinations((panel["gridPos"] for panel in board["panels"]), 2):
        beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])


@EACH
def test_every_variable_is_used_and_every_used_one_is_there(board: dict[str, Any]) -> None:
    there = {one["name"] for one in board["templating"]["list"]}
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    queries += [one["definition"] for one in board["templating"]["list"] if one["type"] == "query"]
    used = set(re.findall(r"\$(\w+)", " ".join(queries))) - {"__rate_interval", "__range"}
    sources = {re.sub(r"\W", "", panel["datasource"]["uid"]) for panel in board["panels"] if "datasource" in panel}
    assert used | sources == there


@EACH
def test_a_variable_is_chosen_from_what_there_is(board: dict[str, Any]) -> None:
    seen: set[str] = set()
    for one in board["templating"]["list"]:
        if one["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", one["query"]["query"])
            assert found
            assert set(re.findall(r"\$(\w+)", found[1])) <= seen, "only what stands above it is chosen already"
            assert wrong(re.sub(r"\$\w+", ".*", found[1])) == []
            assert found[2] in kept(promql.parse(re.sub(r"\$\w+", ".*", found[1])))
        seen.add(one["name"])


@EACH
def test_links_lead_to_runbooks_that_exist(board: dict[str, Any]) -> None:
    links = [link["url"] for panel in board["panels"] for link in panel.get("links", ())]
    links += [link["url"] for link in board["links"] if link["type"] == "link"]
    assert links
    pages = [link.partition("/docs/runbooks/")[2] for link in links]
    assert [page for page in pages if not page or not (RUNBOOKS / page).exists()] == []


@pytest.mark.parametrize("query", asked("prometheus"), ids=str)
def test_a_query_asks_for_what_there_is(query: Asked) -> None:
    assert wrong(query.filled) == []
    assert set(LEGEND.findall(query.legend)) <= kept(promql.parse(query.filled)), "a legend of nothing"


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule.body.get("record") or str(rule))
def test_a_rule_asks_for_what_there_is(rule: Any) -> None:
    assert wrong(rule.expr) == []
    if name := rule.body.get("record"):
        assert kept(promql.parse(rule.expr)) == level(name), "its name says which labels it has"


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        ("sum(pult_webhooks_total)", "no metric"),
        ('pult_outbox_depth{platform="slack"}', "no label"),
        ("sum by (destination) (pult_delivery_total)", "grouped by"),
        ("sum by (region) (up) / on (service) sum by (region) (up)", "matched on"),
    ],
)
def test_what_is_not_there_is_noticed(expr: str, why: str) -> None:
    assert any(why in found for found in wrong(expr))


def test_the_list_of_others_series_is_what_is_read_of_them() -> None:
    exprs = [query.filled for query in asked("prometheus")] + [rule.expr for rule in rules()]
    exprs += [re.sub(r"\$\w+", ".*", one["expr"]) for board in boards() for one in board["annotations"]["list"]]
    exprs += [
        str(rule["expr"]) for group in load(generate.HERE / "slo" / "pult.yml")["groups"] for rule in group["rules"]
    ]
    exprs += [
        re.sub(r"\$\w+", ".*", one["definition"][len("label_values(") :].rpartition(",")[0])
        for board in boards()
        for one in board["templating"]["list"]
        if one["type"] == "query"
    ]
    read = {one.name for expr in exprs for one in selectors(expr)}
    assert read - known().keys() == set()
    assert outside().keys() - read == set(), "listed, and read by nobody"


def test_own_slos_ask_for_what_there_is() -> None:
    for group in load(generate.HERE / "slo" / "pult.yml")["groups"]:
        assert [wrong(str(rule["expr"])) for rule in group["rules"] if wrong(str(rule["expr"]))] == []
    assert of_slos().keys() & recorded().keys() == set()


@pytest.mark.parametrize(
    "alert", [alert for alert in (*alerts(), *of_logs()) if "dashboard" in alert.body["annotations"]], ids=str
)
def test_an_alert_leads_to_a_dashboard_and_sets_what_it_has(alert: Any) -> None:
    link = urlsplit(re.sub(r"\{\{.*?\}\}", "x", alert.body["annotations"]["dashboard"]))
    board = {f"/d/{board['uid']}": board for board in boards()}[link.path]
    set_by_link = {name.removeprefix("var-") for name in parse_qs(link.query) if name.startswith("var-")}
    assert set_by_link <= {one["name"] for one in board["templating"]["list"]}


# --- log lines ---


def _of_lines() -> list[str]:
    """LogQL of dashboards and of the ruler's rules, as much as is a query: without the threshold."""
    ruled = [re.sub(r"\s+> \d+\s*$", "", alert.expr) for alert in of_logs()]
    return [*(query.filled for query in asked("loki")), *ruled]


@pytest.mark.parametrize("query", _of_lines())
def test_what_is_asked_of_loki_is_logql_of_our_labels(query: str) -> None:
    parse(query)
    braces = re.search(r"\{(.+?)\}", query)
    grouped = re.search(r"by \((.+?)\)", query)
    assert braces
    names = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', query)) | set(grouped[1].split(", ") if grouped else ())
    assert names <= LINES


@pytest.mark.parametrize("query", ['{app="api"', '{app=~".*"}', 'sum by (app) (rate({app="api"}))'])
def test_what_is_no_logql_is_noticed(query: str) -> None:
    with pytest.raises(QueryError):
        parse(query)
