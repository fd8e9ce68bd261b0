"""Instant and range queries over one catalogue."""

import asyncio
import math
from typing import Final

import promql_parser as promql

from bot.simulator.prometheus.catalogue import Catalogue
from bot.simulator.prometheus.compiler import Compiler, Plan, matches, parse
from bot.simulator.prometheus.values import (
    Labels,
    Points,
    Value,
    Vector,
    bad_data,
    execution,
    number,
    stamp,
)

MOST_STEPS: Final = 11_000
"""Points one series of a range answer may have."""
MOST_SAMPLES: Final = 5_000_000
"""Samples one query may read; Prometheus's own limit is ten times as high."""
_SLICE: Final = 20_000
"""Samples read before other work of the process gets its turn."""

Json = dict[str, object]


async def instant(catalogue: Catalogue, query: str, at: float) -> Json:
    """``data`` of an instant answer. *at*: Unix seconds. QueryError when it is refused."""
    expr, compiler = parse(query), Compiler(catalogue, at, at)
    if isinstance(expr, promql.MatrixSelector):
        found = compiler.matrix(expr)(at)
        return {"resultType": "matrix", "result": [_row(labels, points) for labels, points in found]}
    plan = compiler.plan(expr)
    _afford(compiler, 1)
    return _answer(plan(at), at)


async def span(catalogue: Catalogue, query: str, start: float, end: float, step: float) -> Json:
    """``data`` of a range answer. Times in Unix seconds, *step* in seconds."""
    _check_range(start, end, step)
    expr, compiler = parse(query), Compiler(catalogue, start, end)
    if isinstance(expr, promql.MatrixSelector | promql.StringLiteral):
        kind = "range vector" if isinstance(expr, promql.MatrixSelector) else "string"
        text = f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
        raise bad_data(f'invalid parameter "query": {text}')
    plan = compiler.plan(expr)
    moments = [start + index * step for index in range(int((end - start) / step + 1e-9) + 1)]
    _afford(compiler, len(moments))
    rows = await _walk(plan, moments, max(1, _SLICE // max(compiler.cost, 1)))
    return {"resultType": "matrix", "result": [_row(labels, rows[labels]) for labels in sorted(rows)]}


async def _walk(plan: Plan, moments: list[float], turn: int) -> dict[Labels, Points]:
    rows: dict[Labels, Points] = {}
    for index, moment in enumerate(moments):
        for labels, value in _elements(plan(moment)):
            rows.setdefault(labels, []).append((moment, value))
        if index % turn == turn - 1:
            await asyncio.sleep(0)
    return rows


def _elements(value: Value) -> list[tuple[Labels, float]]:
    if isinstance(value, list):
        return [(element.labels, element.value) for element in _single(value)]
    return [((), float(value))]


def _single(elements: Vector) -> Vector:
    """Refuses two results with the same labels, as Prometheus does."""
    if len({element.labels for element in elements}) < len(elements):
        raise execution("vector cannot contain metrics with the same labelset")
    return elements


def _answer(value: Value, at: float) -> Json:
    if isinstance(value, str):
        return {"resultType": "string", "result": [stamp(at), value]}
    if not isinstance(value, list):
        return {"resultType": "scalar", "result": [stamp(at), number(value)]}
    rows = [{"metric": dict(one.labels), "value": [stamp(at), number(one.value)]} for one in _single(value)]
    return {"resultType": "vector", "result": rows}


def _row(labels: Labels, points: Points) -> Json:
    return {"metric": dict(labels), "values": [[stamp(at), number(value)] for at, value in points]}


def _check_range(start: float, end: float, step: float) -> None:
    if end < start:
        raise bad_data('invalid parameter "end": end timestamp must not be before start time')
    if not (step > 0 and math.isfinite(step)):
        text = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise bad_data(f'invalid parameter "step": {text}')
    if (end - start) / step > MOST_STEPS:
        text = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution"
        raise bad_data(f"{text} (?step=XX)")


def _afford(compiler: Compiler, steps: int) -> None:
    if compiler.cost * steps > MOST_SAMPLES:
        raise execution("query processing would load too many samples into memory in query execution")


def selected(catalogue: Catalogue, match: str) -> list[Labels]:
    """Labels of the series a ``match[]`` selects."""
    expr = parse(match)
    if not isinstance(expr, promql.VectorSelector):
        raise bad_data('invalid parameter "match[]": expected a series selector')
    return [series.labels for series in catalogue.select(matches(expr))]
