"""Operators between two values: arithmetic, comparison, and/or/unless, and how series find their partners."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

import promql_parser as promql

from bot.simulator.prometheus.functions import scalar, vector
from bot.simulator.prometheus.values import (
    Element,
    Labels,
    Value,
    Vector,
    drop,
    execution,
    keep,
    shown,
    unnamed,
    unsupported,
)

Operation = Callable[[Value, Value], Value]
Calculation = Callable[[float, float], float | None]
"""None: the pair is filtered out."""


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1.0, right)


def _modulo(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
    "atan2": math.atan2,
}
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def negated(value: Value) -> Value:
    if isinstance(value, list):
        return [Element(unnamed(labels), -number) for labels, number in value]
    return -scalar(value)


def operation(op: str, modifier: promql.BinModifier | None) -> Operation:
    """422 for an operator the simulator has not."""
    if op in ("and", "or", "unless"):
        return lambda left, right: _set(op, vector(left), vector(right), modifier)
    returns_bool = bool(modifier and modifier.return_bool)
    calculate = _calculation(op, returns_bool=returns_bool)
    named = op in _COMPARISONS and not returns_bool

    def run(left: Value, right: Value) -> Value:
        if isinstance(left, list) and isinstance(right, list):
            return _pairs(left, right, calculate, modifier, named=named)
        if isinstance(left, list):
            number = scalar(right)
            return _mapped(left, lambda value: calculate(value, number), named=named)
        if isinstance(right, list):
            return _against(scalar(left), right, op, calculate, named=named)
        return _plain(calculate(scalar(left), scalar(right)))

    return run


def _calculation(op: str, *, returns_bool: bool) -> Calculation:
    if op in _ARITHMETIC:
        return _ARITHMETIC[op]
    if op not in _COMPARISONS:
        raise unsupported(f'operator "{op}"')
    compare = _COMPARISONS[op]
    if returns_bool:
        return lambda left, right: float(compare(left, right))
    return lambda left, right: left if compare(left, right) else None


def _plain(value: float | None) -> float:
    return math.nan if value is None else value


def _against(number: float, elements: Vector, op: str, calculate: Calculation, *, named: bool) -> Vector:
    """Scalar on the left. A filtering comparison keeps the vector's values, not the scalar's."""

    def change(value: float) -> float | None:
        result = calculate(number, value)
        return value if named and result is not None and op in _COMPARISONS else result

    return _mapped(elements, change, named=named)


def _mapped(elements: Vector, change: Callable[[float], float | None], *, named: bool) -> Vector:
    results = ((labels if named else unnamed(labels), change(value)) for labels, value in elements)
    return [Element(labels, value) for labels, value in results if value is not None]


def _signature(modifier: promql.BinModifier | None) -> Callable[[Labels], Labels]:
    matching = modifier.matching if modifier else None
    if matching is None:
        return unnamed
    if matching.type == promql.LabelModifierType.Include:
        return lambda labels: keep(labels, matching.labels)
    return lambda labels: drop(unnamed(labels), matching.labels)


def _set(op: str, left: Vector, right: Vector, modifier: promql.BinModifier | None) -> Vector:
    sign = _signature(modifier)
    if op == "or":
        have = {sign(element.labels) for element in left}
        return [*left, *(element for element in right if sign(element.labels) not in have)]
    others = {sign(element.labels) for element in right}
    return [element for element in left if (sign(element.labels) in others) == (op == "and")]


def _pairs(
    left: Vector, right: Vector, calculate: Calculation, modifier: promql.BinModifier | None, *, named: bool
) -> Vector:
    card = modifier.card if modifier else promql.VectorMatchCardinality.OneToOne
    flipped = card == promql.VectorMatchCardinality.OneToMany
    many, one = (right, left) if flipped else (left, right)
    sign, single = _signature(modifier), card == promql.VectorMatchCardinality.OneToOne
    partners = _unique(one, sign, side="left" if flipped else "right")
    if single:
        _unique(many, sign, side="left")
    results: Vector = []
    for element in many:
        partner = partners.get(sign(element.labels))
        if partner is None:
            continue
        first, second = (partner, element) if flipped else (element, partner)
        value = calculate(first.value, second.value)
        if value is not None:
            results.append(Element(_joined(element, partner, modifier, single=single, named=named), value))
    return results


def _unique(elements: Vector, sign: Callable[[Labels], Labels], side: str) -> dict[Labels, Element]:
    found: dict[Labels, Element] = {}
    for element in elements:
        group = sign(element.labels)
        if group in found:
            raise execution(
                f"found duplicate series for the match group {shown(group)} on the {side} hand-side of the operation:"
                f" [{shown(element.labels)}, {shown(found[group].labels)}];many-to-many matching not allowed:"
                " matching labels must be unique on one side"
            )
        found[group] = element
    return found


def _joined(
    element: Element, partner: Element, modifier: promql.BinModifier | None, *, single: bool, named: bool
) -> Labels:
    labels = element.labels if named else unnamed(element.labels)
    matching = modifier.matching if modifier else None
    if single and matching is not None:
        included = matching.type == promql.LabelModifierType.Include
        return keep(labels, matching.labels) if included else drop(labels, matching.labels)
    carried = (modifier.group_labels or []) if modifier else []
    return tuple(sorted((*drop(labels, carried), *keep(partner.labels, carried))))
