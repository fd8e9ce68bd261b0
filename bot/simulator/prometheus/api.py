"""Prometheus's HTTP API (contracts.md, section 3)."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import promql_parser as promql
from aiohttp import web
from multidict import MultiDict

from bot.simulator.prometheus import query
from bot.simulator.prometheus.metrics import Metrics
from bot.simulator.prometheus.rules import Active, Watched
from bot.simulator.prometheus.values import NAME, Labels, QueryError, bad_data, exponent

TIMEOUT: Final = 120.0
"""Seconds a query may take when it does not say."""
_HTML: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}

Params = MultiDict[str]
Answer = Callable[[Params, web.Request], Awaitable[object]]


class Api:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def routes(self) -> Iterator[web.RouteDef]:
        both: tuple[tuple[str, Answer], ...] = (
            ("query", self._query),
            ("query_range", self._query_range),
            ("labels", self._labels),
            ("series", self._series),
        )
        for path, answer in both:
            for method in ("GET", "POST"):
                yield web.route(method, f"/api/v1/{path}", _enveloped(answer))
        alone: tuple[tuple[str, Answer], ...] = (
            ("label/{name}/values", self._label_values),
            ("rules", self._rules),
            ("alerts", self._alerts),
            ("status/buildinfo", self._build),
        )
        for path, answer in alone:
            yield web.get(f"/api/v1/{path}", _enveloped(answer))
        yield web.get("/", _to_graph)
        yield web.get(
            "/graph", _said("<title>Prometheus Time Series Collection and Processing Server</title>\n", "text/html")
        )
        yield web.get("/-/healthy", _said("Prometheus Server is Healthy.\n"))
        yield web.get("/-/ready", _said("Prometheus Server is Ready.\n"))

    async def _query(self, params: Params, _: web.Request) -> object:
        self._metrics.look()
        at = _moment(params, "time", self._metrics.now())
        return await query.instant(self._metrics.catalogue, params.get("query", ""), at)

    async def _query_range(self, params: Params, _: web.Request) -> object:
        self._metrics.look()
        start, end = (_moment(params, name, None) for name in ("start", "end"))
        step = _seconds(params, "step")
        return await query.span(self._metrics.catalogue, params.get("query", ""), start, end, step)

    async def _labels(self, params: Params, _: web.Request) -> object:
        return sorted({name for labels in self._matching(params) for name, _ in labels})

    async def _label_values(self, params: Params, request: web.Request) -> object:
        wanted = request.match_info["name"]
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", wanted):
            raise bad_data(f'invalid label name: "{wanted}"')
        return sorted({value for labels in self._matching(params) for name, value in labels if name == wanted})

    async def _series(self, params: Params, _: web.Request) -> object:
        if not params.getall("match[]", []):
            raise bad_data("no match[] parameter provided")
        return [dict(labels) for labels in sorted(set(self._matching(params)))]

    def _matching(self, params: Params) -> list[Labels]:
        chosen = params.getall("match[]", []) or [f'{{{NAME}=~".+"}}']
        return [labels for match in chosen for labels in query.selected(self._metrics.catalogue, match)]

    async def _rules(self, params: Params, _: web.Request) -> object:
        rules = [] if params.get("type") == "record" else [_rule(one) for one in self._metrics.rules.watched]
        group = {"name": "dept.rules", "file": "/etc/prometheus/rules/dept.rules.yml", "rules": rules}
        stamps = [one.evaluated for one in self._metrics.rules.watched if one.evaluated]
        evaluated = _zulu(max(stamps)) if stamps else "0001-01-01T00:00:00Z"
        times = {"interval": 1, "limit": 0, "evaluationTime": 0.001, "lastEvaluation": evaluated}
        return {"groups": [group | times]}

    async def _alerts(self, _: Params, __: web.Request) -> object:
        return {"alerts": [alert for one in self._metrics.rules.watched for alert in _active(one)]}

    async def _build(self, _: Params, __: web.Request) -> object:
        return {
            "version": "2.42.0",
            "revision": "2.42.0+ds-5+b5",
            "branch": "debian/sid",
            "buildUser": "build@example.com",
            "buildDate": "20230402-20:55:02",
            "goVersion": "go1.19.8",
        }


def _enveloped(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def run(request: web.Request) -> web.Response:
        try:
            params = await _params(request)
            limit = _seconds(params, "timeout") if "timeout" in params else TIMEOUT
            async with asyncio.timeout(limit):
                return _json({"status": "success", "data": await answer(params, request)}, 200)
        except QueryError as refused:
            return _json({"status": "error", "errorType": refused.kind, "error": str(refused)}, refused.status)
        except TimeoutError:
            text = "query timed out in expression evaluation"
            return _json({"status": "error", "errorType": "timeout", "error": text}, 503)

    return run


def _json(body: dict[str, Any], status: int) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).translate(_HTML)
    return web.Response(body=text.encode(), status=status, content_type="application/json")


async def _params(request: web.Request) -> Params:
    """Query and form parameters; the form comes first, as in Go."""
    params: Params = MultiDict()
    if request.method == "POST":
        for name, value in (await request.post()).items():
            params.add(name, str(value))
    params.extend(request.query)
    return params


def _moment(params: Params, name: str, default: datetime | None) -> float:
    """Unix seconds from a number or an RFC 3339 time."""
    text = params.get(name, "")
    if not text and default is not None:
        return default.timestamp()
    try:
        return float(text) if re.fullmatch(r"-?[0-9.]+(e[+-]?\d+)?", text) else _rfc3339(text)
    except ValueError as error:
        reason = f'cannot parse "{text}" to a valid timestamp'
        raise bad_data(f'invalid parameter "{name}": {reason}') from error


def _rfc3339(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.timestamp()


def _seconds(params: Params, name: str) -> float:
    """From a number of seconds or a Prometheus duration."""
    text = params.get(name, "")
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return promql.parse_duration(text).total_seconds()
    except ValueError as error:
        raise bad_data(f'invalid parameter "{name}": cannot parse "{text}" to a valid duration') from error


def _rule(watched: Watched) -> dict[str, object]:
    rule, alerts = watched.rule, _active(watched)
    states = {str(alert["state"]) for alert in alerts}
    state = next((word for word in ("firing", "pending") if word in states), "inactive")
    return {
        "state": state,
        "name": rule.name,
        "query": rule.query,
        "duration": rule.hold,
        "keepFiringFor": 0,
        "labels": {"severity": rule.severity},
        "annotations": rule.annotations({"service": rule.service, "region": "{{ $labels.region }}"}, 0.0),
        "alerts": alerts,
        "health": "ok" if watched.evaluated else "unknown",
        "evaluationTime": 0.001,
        "lastEvaluation": _zulu(watched.evaluated) if watched.evaluated else "0001-01-01T00:00:00Z",
        "type": "alerting",
    }


def _active(watched: Watched) -> list[dict[str, object]]:
    return [_alert(one) for one in watched.active.values() if one.ended is None]


def _alert(active: Active) -> dict[str, object]:
    return {
        "labels": dict(sorted(active.labels.items())),
        "annotations": active.annotations,
        "state": "firing" if active.firing else "pending",
        "activeAt": _zulu(active.since),
        "value": exponent(active.value),
    }


def _zulu(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


async def _to_graph(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{request.path.rstrip('/')}/graph"})


def _said(text: str, kind: str = "text/plain") -> Callable[[web.Request], Awaitable[web.Response]]:
    async def run(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind)

    return run
