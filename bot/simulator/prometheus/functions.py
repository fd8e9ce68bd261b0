"""Functions over instant vectors and scalars."""

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from bot.simulator.prometheus.values import Element, Labels, Value, Vector, drop, execution, unnamed, unsupported

Function = Callable[[float, list[Value]], Value]
"""(moment, arguments) → value."""


def scalar(value: Value) -> float:
    """A checked scalar argument; the parser has refused other types already."""
    if isinstance(value, float | int):
        return float(value)
    raise execution("expected a scalar")


def vector(value: Value) -> Vector:
    if isinstance(value, list):
        return value
    raise execution("expected an instant vector")


def quantile(share: float, values: list[float]) -> float:
    """Linear between the two nearest ranks, as Prometheus has it."""
    if math.isnan(share):
        return math.nan
    if not 0 <= share <= 1:
        return math.copysign(math.inf, share)
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def _each(change: Callable[[float, list[float]], float]) -> Function:
    def run(_: float, args: list[Value]) -> Value:
        numbers = [scalar(arg) for arg in args[1:]]
        return [Element(unnamed(labels), change(value, numbers)) for labels, value in vector(args[0])]

    return run


def _round(value: float, numbers: list[float]) -> float:
    unit = numbers[0] if numbers else 1.0
    return math.floor(value / unit + 0.5) * unit


def _whole(rounding: Callable[[float], int]) -> Function:
    return _each(lambda value, _: float(rounding(value)) if math.isfinite(value) else value)


def _clamp(value: float, numbers: list[float]) -> float:
    return max(numbers[0], min(numbers[1], value))


def _scalar(_: float, args: list[Value]) -> Value:
    elements = vector(args[0])
    return elements[0].value if len(elements) == 1 else math.nan


def _vector(_: float, args: list[Value]) -> Value:
    return [Element((), scalar(args[0]))]


def _sort(*, down: bool) -> Function:
    return lambda _, args: sorted(vector(args[0]), key=lambda element: element.value, reverse=down)


def _label_replace(_: float, args: list[Value]) -> Value:
    elements = vector(args[0])
    target, replacement, source, pattern = (str(arg) for arg in args[1:])
    # Go writes $1 and ${name} where Python writes \1 and \g<name>.
    template = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: rf"\g<{found[1] or found[2]}>", replacement)

    def renamed(given: Labels) -> Labels:
        found = re.fullmatch(pattern, dict(given).get(source, ""))
        if not found:
            return given
        value = found.expand(template)
        return tuple(sorted((*drop(given, (target,)), *(((target, value),) if value else ()))))

    return [Element(renamed(labels), value) for labels, value in elements]


def _histogram_quantile(_: float, args: list[Value]) -> Value:
    share = scalar(args[0])
    histograms: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in vector(args[1]):
        bound = dict(labels).get("le")
        if bound is not None:
            histograms.setdefault(drop(unnamed(labels), ("le",)), []).append((_bound(bound), count))
    return [Element(labels, _bucket_quantile(share, sorted(buckets))) for labels, buckets in histograms.items()]


def _bound(text: str) -> float:
    return math.inf if text == "+Inf" else float(text)


def _bucket_quantile(share: float, buckets: list[tuple[float, float]]) -> float:
    """Linear inside the bucket in which the rank falls; NaN without observations or without a ``+Inf`` bucket."""
    total = buckets[-1][1]
    if len(buckets) < 2 or not math.isinf(buckets[-1][0]) or not total > 0:
        return math.nan
    if not 0 <= share <= 1:
        return math.copysign(math.inf, share)
    rank = share * total
    for (lower, below), (upper, reached) in pairwise([(0.0, 0.0), *buckets]):
        if reached >= rank:
            if math.isinf(upper):
                return lower
            return lower + (upper - lower) * ((rank - below) / (reached - below) if reached > below else 0.0)
    return math.nan


_FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": _each(lambda value, _: abs(value)),
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "round": _each(_round),
    "clamp": _each(_clamp),
    "clamp_min": _each(lambda value, numbers: max(numbers[0], value)),
    "clamp_max": _each(lambda value, numbers: min(numbers[0], value)),
    "histogram_quantile": _histogram_quantile,
    "label_replace": _label_replace,
    "scalar": _scalar,
    "sort": _sort(down=False),
    "sort_desc": _sort(down=True),
    "time": lambda at, _: at,
    "vector": _vector,
}


def function(name: str) -> Function:
    """422 for what Prometheus has and the simulator has not."""
    if name not in _FUNCTIONS:
        raise unsupported(f'function "{name}"')
    return _FUNCTIONS[name]
