"""What rules and dashboards ask, held against what there is: every metric, its labels, and which a result still has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import promql_parser as promql

from bot.engine.meters import Meters
from tests.deploy.monitoring import BOARDS, MONITORING, load, rules

SCRAPED = {"job", "instance", "region"}
"""Labels that a scrape gives each series, or that prometheus.yml does."""
SLO = {"service", "slo", "window"}
GRAFANA = {"$__rate_interval": "1m", "$__range": "1h"}
"""What Grafana puts in for its own variables, as a test needs it."""
VARIABLE = re.compile(r"\$(\w+)")
SETS = {"and", "or", "unless"}
CHOOSING = {"topk", "bottomk"}
"""Aggregations that leave the labels as they are."""


@dataclass(frozen=True)
class Asked:
    """One query of a dashboard, as it is written."""

    board: str
    panel: str
    name: str
    expr: str
    legend: str

    @property
    def filled(self) -> str:
        """With everything chosen, as a server gets it."""
        text = self.expr
        for name, value in GRAFANA.items():
            text = text.replace(name, value)
        return VARIABLE.sub(".*", text)

    def __str__(self) -> str:
        return f"{self.board}: {self.panel} {self.name}"


def boards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in BOARDS]


def asked(source: str) -> list[Asked]:
    """Every query that the dashboards have for *source*: ``prometheus`` or ``loki``."""
    return [
        Asked(board["uid"], panel["title"], target["refId"], target["expr"], target["legendFormat"])
        for board in boards()
        for panel in board["panels"]
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == source
    ]


def exported() -> dict[str, set[str]]:
    """Series name → label names, of what pult's process registers."""
    found: dict[str, set[str]] = {}
    for metric in Meters("test").registry._collector_to_names:
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(metric._type, ("",))
        labels = set(metric._labelnames) | ({"le"} if metric._type == "histogram" else set())
        found |= {metric._name + suffix: labels for suffix in suffixes}
    return found


@cache
def outside() -> dict[str, set[str]]:
    """Series name → label names, of what others export (exporters.yml)."""
    return {
        name: set(labels) for series in load(MONITORING / "exporters.yml").values() for name, labels in series.items()
    }


def recorded() -> dict[str, set[str]]:
    """Series name → label names, of what the shipped rules record: their names say it (level:metric:operation)."""
    return {str(rule.body["record"]): level(str(rule.body["record"])) for rule in rules() if "record" in rule.body}


def level(name: str) -> set[str]:
    """The labels that the first part of a recorded name promises; ``…:service`` records that label as well."""
    first, _, last = name.split(":")
    return set(first.split("_")) | ({"service"} if last == "service" else set())


def of_slos() -> dict[str, set[str]]:
    """Series name → label names, of what `pult slo rules` records (docs/monitoring.md)."""
    text = (MONITORING / "slo" / "pult.yml").read_text()
    return dict.fromkeys(re.findall(r"record: (slo:\S+)", text), SLO) | {"pult_slo_info": SLO | {"kind", "objective"}}


@cache
def known() -> dict[str, set[str]]:
    scraped = {name: labels | SCRAPED for name, labels in (outside() | exported()).items()}
    return scraped | recorded() | of_slos()


def selectors(expr: str) -> Iterator[Any]:
    seen: list[Any] = []
    promql.walk(promql.parse(expr), seen.append)
    yield from (node for node in seen if isinstance(node, promql.VectorSelector))


def wrong(expr: str) -> list[str]:
    """What *expr* reads or groups by that nothing has."""
    found = [f"no metric {one.name}" for one in selectors(expr) if one.name not in known()]
    if found:
        return found
    for one in selectors(expr):
        odd = {matcher.name for matcher in one.matchers.matchers} - known()[one.name]
        found += [f"{one.name} has no label {name}" for name in sorted(odd)]
    seen: list[Any] = []
    promql.walk(promql.parse(expr), seen.append)
    return found + [odd for node in seen for odd in _ungrouped(node)]


def _ungrouped(node: Any) -> Iterator[str]:
    if isinstance(node, promql.AggregateExpr) and node.modifier:
        odd = set(node.modifier.labels) - kept(node.expr)
        yield from (f"grouped by {name}, which nothing has" for name in sorted(odd))
    if isinstance(node, promql.BinaryExpr) and node.modifier and node.modifier.matching:
        for side in (node.lhs, node.rhs):
            odd = set(node.modifier.matching.labels) - kept(side)
            yield from (f"matched on {name}, which a side has not" for name in sorted(odd))


def kept(node: Any) -> set[str]:
    """The labels that a result may have."""
    if isinstance(node, promql.VectorSelector):
        return set(known()[node.name])
    if isinstance(node, promql.MatrixSelector):
        return kept(node.vector_selector)
    if isinstance(node, promql.AggregateExpr):
        return _aggregated(node)
    if isinstance(node, promql.Call):
        return _called(node)
    if isinstance(node, promql.BinaryExpr):
        return _joined(node)
    return kept(node.expr) if hasattr(node, "expr") else set()


def _aggregated(node: Any) -> set[str]:
    if str(node.op) in CHOOSING:
        return kept(node.expr)
    return set(node.modifier.labels) if node.modifier else set()


def _called(node: Any) -> set[str]:
    name, found = node.func.name, set().union(*(kept(each) for each in node.args))
    if name == "label_replace":
        return found | {node.args[1].val}
    return found - {"le"} if name == "histogram_quantile" else found


def _joined(node: Any) -> set[str]:
    left, right = kept(node.lhs), kept(node.rhs)
    if str(node.op) in SETS:
        return left | right if str(node.op) == "or" else left
    if not node.modifier or not node.modifier.matching:
        return left or right
    if node.modifier.matching.type == promql.LabelModifierType.Exclude:
        return left - set(node.modifier.matching.labels)
    if node.modifier.card == promql.VectorMatchCardinality.ManyToOne:
        return left | set(node.modifier.group_labels or ())
    return set(node.modifier.matching.labels)
