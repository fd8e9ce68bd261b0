"""A parsed query turned into a function of time. Selectors find their series once, not at every step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import promql_parser as promql

from bot.simulator.prometheus import aggregation, binary, functions, ranges
from bot.simulator.prometheus.catalogue import Catalogue, every, matcher
from bot.simulator.prometheus.series import MOST_POINTS, SCRAPE, Evaluated, Series, Window
from bot.simulator.prometheus.values import NAME, Element, Labels, Points, Value, bad_data, unnamed, unsupported

Plan = Callable[[float], Value]
"""Unix seconds → the value at that moment."""
Windows = Callable[[float], list[Window]]

DEFAULT_STEP: Final = timedelta(minutes=1)
"""Of a subquery that names none: Prometheus's evaluation interval."""
_OPS: Final = (
    (promql.MatchOp.Equal, "="),
    (promql.MatchOp.NotEqual, "!="),
    (promql.MatchOp.Re, "=~"),
    (promql.MatchOp.NotRe, "!~"),
)


def parse(query: str) -> promql.Expr:
    """QueryError in Prometheus's words when it cannot be parsed."""
    try:
        return promql.parse(query)
    except ValueError as error:
        raise bad_data(f'invalid parameter "query": 1:1: parse error: {error}') from error


@dataclass
class Compiler:
    """Compiles one query over ``[start, end]`` (Unix seconds; equal for an instant query)."""

    catalogue: Catalogue
    start: float
    end: float
    cost: int = 0
    """Samples read at one step, for the limit on samples."""

    def plan(self, expr: promql.Expr) -> Plan:
        for kind, compiled in self._kinds():
            if isinstance(expr, kind):
                return compiled(expr)
        raise unsupported("subquery" if isinstance(expr, promql.SubqueryExpr) else type(expr).__name__)

    def _kinds(self) -> tuple[tuple[type[promql.Expr], Callable[[Any], Plan]], ...]:
        return (
            (promql.NumberLiteral, _constant),
            (promql.StringLiteral, _constant),
            (promql.ParenExpr, lambda expr: self.plan(expr.expr)),
            (promql.UnaryExpr, self._negated),
            (promql.VectorSelector, self._instant),
            (promql.BinaryExpr, self._binary),
            (promql.AggregateExpr, self._aggregate),
            (promql.Call, self._call),
        )

    def matrix(self, selector: promql.MatrixSelector) -> Callable[[float], list[tuple[Labels, Points]]]:
        """A bare range selector, which an instant query may ask for."""
        windows = self._windows(selector)
        return lambda at: [(one.series.labels, points) for one in windows(at) if (points := one.points())]

    def _negated(self, expr: promql.UnaryExpr) -> Plan:
        inner = self.plan(expr.expr)
        return lambda at: binary.negated(inner(at))

    def _instant(self, selector: promql.VectorSelector) -> Plan:
        found, moment = self._select(selector), self._moment(selector.at, selector.offset)
        self.cost += len(found)

        def read(at: float) -> Value:
            when = moment(at)
            samples = ((series.labels, series.read(when)) for series in found)
            return [Element(labels, value) for labels, value in samples if value is not None]

        return read

    def _windows(self, selector: promql.MatrixSelector, *, exact: bool = False) -> Windows:
        """*exact*: counters are asked for their two ends only."""
        inner = selector.vector_selector
        found, moment = self._select(inner), self._moment(inner.at, inner.offset)
        seconds = selector.range.total_seconds()
        self.cost += len(found) * (2 if exact else min(MOST_POINTS, int(seconds) + 1))
        return lambda at: [Window(series, moment(at) - seconds, moment(at)) for series in found]

    def _subquery(self, expr: promql.SubqueryExpr) -> Windows:
        """Evaluated on whole multiples of its step, as Prometheus does; a longer range is thinned out like any."""
        inner, moment = self.plan(expr.expr), self._moment(expr.at, expr.offset)
        seconds, step = (expr.range or DEFAULT_STEP).total_seconds(), (expr.step or DEFAULT_STEP).total_seconds()
        step *= max(1, math.ceil(seconds / step / MOST_POINTS))
        self.cost *= min(MOST_POINTS, int(seconds / step) + 1)

        def read(at: float) -> list[Window]:
            end, found = moment(at), dict[Labels, list[tuple[float, float]]]()
            for index in range(math.floor((end - seconds) / step) + 1, math.floor(end / step) + 1):
                for labels, value in functions.vector(inner(index * step)):
                    found.setdefault(labels, []).append((index * step, value))
            return [
                Evaluated(Series(labels, lambda _: None), end - seconds, end, tuple(points))
                for labels, points in found.items()
            ]

        return read

    def _select(self, selector: promql.VectorSelector) -> list[Series]:
        return self.catalogue.select(matches(selector))

    def _moment(self, pinned: promql.AtModifier | None, offset: timedelta | None) -> Callable[[float], float]:
        shift = offset.total_seconds() if offset else 0.0
        if pinned is None:
            return lambda at: at - shift
        if pinned.type == promql.AtModifierType.At and pinned.at is not None:
            fixed = pinned.at.timestamp()
        else:
            fixed = self.start if pinned.type == promql.AtModifierType.Start else self.end
        return lambda _: fixed - shift

    def _binary(self, expr: promql.BinaryExpr) -> Plan:
        left, right = self.plan(expr.lhs), self.plan(expr.rhs)
        operation = binary.operation(str(expr.op), expr.modifier)
        return lambda at: operation(left(at), right(at))

    def _aggregate(self, expr: promql.AggregateExpr) -> Plan:
        inner = self.plan(expr.expr)
        param = self.plan(expr.param) if expr.param is not None else None
        fold = aggregation.aggregation(str(expr.op), expr.modifier)
        return lambda at: fold(inner(at), param(at) if param else None)

    def _call(self, expr: promql.Call) -> Plan:
        name, args = expr.func.name, expr.args
        ranged = promql.MatrixSelector | promql.SubqueryExpr
        place = next((index for index, arg in enumerate(args) if isinstance(arg, ranged)), None)
        if place is not None:
            return self._range_call(name, args, place)
        if name == "absent":
            return self._absent(args[0])
        if name == "timestamp":
            return self._timestamp(args[0])
        plans = [self.plan(arg) for arg in args]
        function = functions.function(name)
        return lambda at: function(at, [plan(at) for plan in plans])

    def _range_call(self, name: str, args: list[Any], place: int) -> Plan:
        if isinstance(args[place], promql.SubqueryExpr):
            windows = self._subquery(args[place])
        else:
            windows = self._windows(args[place], exact=name in ranges.EXACT)
        others = [self.plan(arg) for index, arg in enumerate(args) if index != place]
        if name == "absent_over_time":
            if isinstance(args[place], promql.SubqueryExpr):
                raise unsupported("absent_over_time of a subquery")
            known = _pinned(args[place].vector_selector)
            return lambda at: [] if any(one.points() for one in windows(at)) else [Element(known, 1.0)]
        function = ranges.function(name)
        renamed: Callable[[Labels], Labels] = (lambda labels: labels) if name == "last_over_time" else unnamed

        def run(at: float) -> Value:
            numbers = [functions.scalar(plan(at)) for plan in others]
            results = ((one.series.labels, function(one, numbers)) for one in windows(at))
            return [Element(renamed(labels), value) for labels, value in results if value is not None]

        return run

    def _timestamp(self, arg: promql.Expr) -> Plan:
        """When the sample that a selector finds was scraped; of any other expression when it was evaluated."""
        inner, scraped = self.plan(arg), isinstance(arg, promql.VectorSelector)
        moment = self._moment(arg.at, arg.offset) if isinstance(arg, promql.VectorSelector) else float

        def stamped(at: float) -> Value:
            when = math.floor(moment(at) / SCRAPE) * SCRAPE if scraped else at
            return [Element(unnamed(each.labels), when) for each in functions.vector(inner(at))]

        return stamped

    def _absent(self, arg: promql.Expr) -> Plan:
        inner = self.plan(arg)
        known = _pinned(arg) if isinstance(arg, promql.VectorSelector) else ()
        return lambda at: [] if inner(at) else [Element(known, 1.0)]


def matches(selector: promql.VectorSelector) -> Callable[[Labels], bool]:
    """A test for the labels a selector selects."""
    groups = [*(selector.matchers.or_matchers or [selector.matchers.matchers])]
    named = [matcher("=", NAME, selector.name)] if selector.name else []
    try:
        tests = [every([*named, *map(_test, group)]) for group in groups]
    except ValueError as error:
        raise bad_data(f'invalid parameter "query": {error}') from error
    return lambda labels: any(test(labels) for test in tests)


def _constant(expr: promql.NumberLiteral | promql.StringLiteral) -> Plan:
    value = expr.val
    return lambda _: value


def _test(one: promql.Matcher) -> Callable[[Labels], bool]:
    return matcher(next(word for op, word in _OPS if op == one.op), one.name, one.value)


def _pinned(selector: promql.VectorSelector) -> Labels:
    """Labels an absent series would have had: those asked for by equality, once."""
    equal = [(one.name, one.value) for one in selector.matchers.matchers if one.op == promql.MatchOp.Equal]
    names = [name for name, _ in equal]
    return tuple(sorted(pair for pair in equal if names.count(pair[0]) == 1 and pair[0] != NAME))
