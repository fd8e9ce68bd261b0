"""Functions over ranges: rate and its relatives, and the ``_over_time`` family."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from bot.simulator.prometheus.functions import quantile
from bot.simulator.prometheus.series import SCRAPE, Window
from bot.simulator.prometheus.values import unsupported

RangeFunction = Callable[[Window, list[float]], float | None]
EXACT: Final = ("rate", "increase", "irate")
"""Functions that ask a counter for two moments only."""


def _rate(window: Window, _: list[float]) -> float | None:
    growth = window.growth()
    return None if growth is None else growth / window.seconds


def _increase(window: Window, _: list[float]) -> float | None:
    return window.growth()


def _irate(window: Window, _: list[float]) -> float | None:
    last = min(SCRAPE, window.seconds)
    growth = Window(window.series, window.end - last, window.end).growth()
    return None if growth is None else growth / last


def _delta(window: Window, _: list[float]) -> float | None:
    points = window.points()
    return points[-1][1] - points[0][1] if len(points) > 1 else None


def _changes(window: Window, _: list[float]) -> float | None:
    values = _values(window)
    return float(sum(old != new for old, new in pairwise(values))) if values else None


def _resets(window: Window, _: list[float]) -> float | None:
    values = _values(window)
    return float(sum(new < old for old, new in pairwise(values))) if values else None


def _values(window: Window) -> list[float]:
    return [value for _, value in window.points()]


def _over(fold: Callable[[list[float]], float]) -> RangeFunction:
    def run(window: Window, _: list[float]) -> float | None:
        values = _values(window)
        return fold(values) if values else None

    return run


def _quantile(window: Window, numbers: list[float]) -> float | None:
    values = _values(window)
    return quantile(numbers[0], values) if values else None


_FUNCTIONS: Final[Mapping[str, RangeFunction]] = {
    "rate": _rate,
    "increase": _increase,
    "irate": _irate,
    "delta": _delta,
    "changes": _changes,
    "resets": _resets,
    "avg_over_time": _over(lambda values: sum(values) / len(values)),
    "count_over_time": _over(lambda values: float(len(values))),
    "last_over_time": _over(lambda values: values[-1]),
    "max_over_time": _over(max),
    "min_over_time": _over(min),
    "present_over_time": _over(lambda _: 1.0),
    "sum_over_time": _over(sum),
    "quantile_over_time": _quantile,
}


def function(name: str) -> RangeFunction:
    """422 for what Prometheus has and the simulator has not."""
    if name not in _FUNCTIONS:
        raise unsupported(f'function "{name}"')
    return _FUNCTIONS[name]
