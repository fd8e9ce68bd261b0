"""What Grafana's dashboards are made of: only the fields that Grafana 10 and later reads, and the house's habits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

PROMETHEUS: Json = {"type": "prometheus", "uid": "${datasource}"}
LOKI: Json = {"type": "loki", "uid": "${loki}"}
RUNBOOKS = "https://github.com/dept/pult/blob/main/docs/runbooks"
SCHEMA = 39
"""schemaVersion of Grafana 10.4; later ones migrate it as they load it."""
WIDTH = 24
"""Columns of Grafana's grid."""
GREEN, YELLOW, RED = "green", "yellow", "red"
FREE = ((0, RED), (0.05, YELLOW), (0.15, GREEN))
"""Limits of the share that is free of a disk or a volume."""


@dataclass(frozen=True)
class Query:
    """PromQL or LogQL, and how its series are called (empty: by their labels). *instant*: the last value alone."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True)
class Panel:
    """One panel. *limits*: (value, colour) from where on; *runbooks*: alerts whose pages it links to."""

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    limits: tuple[tuple[float, str], ...] = ()
    least: float | None = 0
    most: float | None = None
    stacked: bool = False
    runbooks: tuple[str, ...] = ()
    source: str = "prometheus"
    words: tuple[tuple[str, str, str], ...] = ()
    """(value, text, colour), where a number means a word."""


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Choice:
    """A variable that is chosen from the values of *label*. *metric* may use the choices above it."""

    name: str
    label: str
    metric: str


@dataclass(frozen=True)
class Board:
    uid: str
    title: str
    about: str
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
    firing: str
    """Matchers of ALERTS, marked as annotations."""
    since: str = "now-3h"
    logs: bool = False


def dashboard(board: Board) -> Json:
    """As Grafana's provisioning reads it from a file: no id, so that each Grafana gives its own."""
    return {
        "annotations": {"list": [_firing(board.firing)]},
        "description": board.about,
        "editable": False,
        "graphTooltip": 1,
        "links": [_link("Runbooks", f"{RUNBOOKS}/README.md"), _others()],
        "panels": list(_laid(board.rows)),
        "refresh": "30s",
        "schemaVersion": SCHEMA,
        "tags": ["pult"],
        "templating": {"list": [*_sources(logs=board.logs), *(_variable(one) for one in board.choices)]},
        "time": {"from": board.since, "to": "now"},
        "timezone": "browser",
        "title": board.title,
        "uid": board.uid,
        "version": 1,
    }


def _laid(rows: Iterable[Row]) -> Iterator[Json]:
    """Rows one below the other, panels from left to right and on to the next line where they do not fit."""
    number, top = 0, 0
    for row in rows:
        number += 1
        place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
        yield {"collapsed": False, "gridPos": place, "id": number, "panels": [], "title": row.title, "type": "row"}
        top, left, tall = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, tall = top + tall, 0, 0
            number += 1
            yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": left, "y": top})
            left, tall = left + panel.width, max(tall, panel.height)
        top += tall


def _panel(panel: Panel, number: int, place: Json) -> Json:
    source = LOKI if panel.source == "loki" else PROMETHEUS
    return {
        "datasource": source,
        "description": panel.about,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "gridPos": place,
        "id": number,
        "links": [_link(f"Runbook: {name}", f"{RUNBOOKS}/{name}.md") for name in panel.runbooks],
        "options": _OPTIONS[panel.kind],
        "targets": [_target(query, chr(ord("A") + at), source) for at, query in enumerate(panel.queries)],
        "title": panel.title,
        "type": panel.kind,
    }


def _target(query: Query, name: str, source: Json) -> Json:
    how: Json = {"instant": query.instant, "range": not query.instant}
    if source is LOKI:
        how = {"queryType": "range"}
    shown = {"legendFormat": query.legend or "__auto"}
    return {"datasource": source, "editorMode": "code", "expr": query.expr, "refId": name, **shown, **how}


def _defaults(panel: Panel) -> Json:
    steps = [{"color": GREEN, "value": None}, *({"color": colour, "value": at} for at, colour in panel.limits)]
    bounds = {name: value for name, value in (("min", panel.least), ("max", panel.most)) if value is not None}
    found: Json = {
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
        "mappings": [_words(panel)] if panel.words else [],
        "thresholds": {"mode": "absolute", "steps": steps},
        "unit": panel.unit,
        **bounds,
    }
    if panel.kind == "timeseries":
        found["custom"] = {
            "fillOpacity": 20 if panel.stacked else 5,
            "lineWidth": 1,
            "showPoints": "never",
            "spanNulls": False,  # a gap is unknown, never a line drawn through it
            "stacking": {"group": "A", "mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": "line" if panel.limits else "off"},
        }
    return found


def _words(panel: Panel) -> Json:
    options = {
        value: {"color": colour, "index": at, "text": text} for at, (value, text, colour) in enumerate(panel.words)
    }
    return {"options": options, "type": "value"}


_REDUCED: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[str, Json] = {
    "timeseries": {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"colorMode": "value", "graphMode": "area", "reduceOptions": _REDUCED, "textMode": "auto"},
    "bargauge": {"displayMode": "gradient", "orientation": "horizontal", "reduceOptions": _REDUCED},
    "state-timeline": {"mergeValues": True, "rowHeight": 0.9, "showValue": "never"},
    "logs": {"dedupStrategy": "none", "enableLogDetails": True, "showTime": True, "sortOrder": "Descending"},
}  # fmt: skip


def _sources(*, logs: bool) -> Iterator[Json]:
    """Which Prometheus (and Loki): no dashboard names one of its own."""
    names = (("datasource", "prometheus", "Prometheus"), *((("loki", "loki", "Loki"),) if logs else ()))
    for name, kind, label in names:
        yield {"hide": 0, "label": label, "name": name, "query": kind, "refresh": 1, "regex": "", "type": "datasource"}


def _variable(choice: Choice) -> Json:
    asked = f"label_values({choice.metric}, {choice.label})"
    return {
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": PROMETHEUS,
        "definition": asked,
        "hide": 0,
        "includeAll": True,
        "label": choice.name,
        "multi": True,
        "name": choice.name,
        "query": {"query": asked, "refId": "StandardVariableQuery"},
        "refresh": 2,  # with every change of the time range: services come and go
        "sort": 1,
        "type": "query",
    }


def _firing(matchers: str) -> Json:
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": f'ALERTS{{alertstate="firing", {matchers}}}',
        "iconColor": RED,
        "name": "Alerts",
        "step": "60s",
        "tagKeys": "severity",
        "textFormat": "{{service}} {{region}}",
        "titleFormat": "{{alertname}}",
    }


def _link(title: str, url: str) -> Json:
    return {"targetBlank": True, "title": title, "type": "link", "url": url}


def _others() -> Json:
    return {
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "tags": ["pult"],
        "title": "pult",
        "type": "dashboards",
    }
