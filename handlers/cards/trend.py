"""The trend of what an alert watches: its value now and its last hour, asked of Prometheus while the card waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from urllib.parse import parse_qs, urlsplit

from bot.domain.alerts import Group
from bot.domain.graphs import digits
from bot.domain.messages import Block, Curve, Facts, Graph, Message
from bot.domain.phrases import Phrase, Quantity, phrase, verbatim
from bot.domain.promql import Watched, watched
from bot.ports.metrics import Metrics, Series

SPAN, STEP = timedelta(hours=1), timedelta(minutes=2)
"""Thirty points: as many as can be told apart on a phone."""
CURVES = 3
FRESH = 2 * STEP
"""A last point older than this is not the value now."""


async def trend(metrics: Metrics, group: Group, now: datetime) -> Graph | None:
    """The last hour of what the rule measures. None when the rule is not known, or nothing is measured."""
    rule = _rule(group)
    if rule is None:
        return None
    series = await metrics.span(rule.measured, now - SPAN, now, STEP)
    curves = _curves(series, 100.0 if rule.unit == "%" else 1.0, own=group.firing[0].labels)
    if not curves:
        return None
    limit = rule.limit * 100 if rule.limit is not None and rule.unit == "%" else rule.limit
    fired = ((group.since, phrase("fired")),) if group.since >= now - SPAN else ()
    return Graph(phrase("Last hour"), curves, rule.unit, limit, fired)


def placed(message: Message, graph: Graph, now: datetime) -> Message:
    """*message* with the value now and the trend."""
    return replace(message, blocks=tuple(_placed(message, graph, now)))


def _placed(message: Message, graph: Graph, now: datetime) -> Iterator[Block]:
    """The value joins the facts, the graph stands right under them."""
    for block in message.blocks:
        if isinstance(block, Facts):
            value = _now(graph, now)
            yield replace(block, pairs=(*block.pairs, (phrase("Value now"), value))) if value else block
            yield graph
        else:
            yield block


def _now(graph: Graph, now: datetime) -> Phrase | None:
    """The value now beside its limit, None when the last one known is old."""
    at, value = max((c.points[-1] for c in graph.curves), key=lambda point: (isfinite(point[1]), point[1]))
    if not isfinite(value) or now - at > FRESH:
        return None
    told = Quantity(value, graph.unit, digits(value))
    if graph.limit is None:
        return phrase("{value}", value=told)
    return phrase("{value}, limit {limit}", value=told, limit=Quantity(graph.limit, graph.unit, digits(graph.limit)))


def _rule(group: Group) -> Watched | None:
    expressions = parse_qs(urlsplit(group.firing[0].url).query).get("g0.expr") if group.firing else None
    return watched(expressions[0]) if expressions else None


def _curves(series: tuple[Series, ...], scale: float, own: Mapping[str, str]) -> tuple[Curve, ...]:
    """The series of the alert itself where one fits it, else the highest ones."""
    fitting = [one for one in series if one.labels.items() <= own.items()] if len(series) > 1 else list(series)
    chosen = sorted(fitting or series, key=_last, reverse=True)[:CURVES]
    return tuple(
        Curve(verbatim(_name(one)), tuple((at, value * scale) for at, value in one.points))
        for one in chosen
        if one.points
    )


def _last(series: Series) -> float:
    return next((value for _, value in reversed(series.points) if isfinite(value)), float("-inf"))


def _name(series: Series) -> str:
    return ", ".join(value for name, value in sorted(series.labels.items()) if name != "__name__") or "value"
