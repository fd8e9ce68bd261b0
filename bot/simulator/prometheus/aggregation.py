"""sum, avg, topk and the rest, ``by`` and ``without``."""

from collections.abc import Callable, Mapping
from typing import Final

import promql_parser as promql

from bot.simulator.prometheus.functions import quantile, scalar, vector
from bot.simulator.prometheus.values import Element, Labels, Value, Vector, drop, keep, unnamed, unsupported

Aggregation = Callable[[Value, Value | None], Value]

_FOLDS: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
}


def aggregation(op: str, modifier: promql.AggModifier | None) -> Aggregation:
    """422 for an operator the simulator has not."""
    if op in ("topk", "bottomk"):
        return lambda value, param: _ranked(_groups(value, modifier), param, largest=op == "topk")
    if op == "quantile":
        return lambda value, param: _folded(
            _groups(value, modifier), lambda values: quantile(scalar(param if param is not None else 0.5), values)
        )
    if op not in _FOLDS:
        raise unsupported(f'aggregation "{op}"')
    return lambda value, _: _folded(_groups(value, modifier), _FOLDS[op])


def _groups(value: Value, modifier: promql.AggModifier | None) -> dict[Labels, Vector]:
    groups: dict[Labels, Vector] = {}
    for element in vector(value):
        groups.setdefault(_group(element.labels, modifier), []).append(element)
    return groups


def _group(labels: Labels, modifier: promql.AggModifier | None) -> Labels:
    if modifier is None:
        return ()
    if modifier.type == promql.AggModifierType.By:
        return keep(labels, modifier.labels)
    return drop(unnamed(labels), modifier.labels)


def _folded(groups: dict[Labels, Vector], fold: Callable[[list[float]], float]) -> Vector:
    return [Element(labels, fold([one.value for one in elements])) for labels, elements in groups.items()]


def _ranked(groups: dict[Labels, Vector], param: Value | None, *, largest: bool) -> Vector:
    count = max(int(scalar(param if param is not None else 1.0)), 0)
    chosen: Vector = []
    for elements in groups.values():
        chosen += sorted(elements, key=lambda element: element.value, reverse=largest)[:count]
    return chosen
