"""Graphs in words: a line of bars and the figures that matter, for wherever no picture can be shown."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from bot.domain.messages import Curve, Facts, Graph
from bot.domain.phrases import Phrase, Quantity, phrase

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
WIDTH = 24
"""Bars that fit on one line of a phone beside two figures."""


def trend(graph: Graph) -> Phrase:
    """The graph on one line: bars, the value now, the highest; "no data" where nothing is known."""
    curve = max(graph.curves, key=_highest, default=None)
    known = _known(graph)
    if curve is None or not known:
        return phrase("no data")
    return phrase(
        "{bars} now {last}, highest {high}",
        bars=sparkline(curve),
        last=Quantity(known[-1], graph.unit, digits(known[-1])),
        high=Quantity(max(known), graph.unit, digits(max(known))),
    )


def figures(graph: Graph) -> Facts:
    """What a picture of the graph doesn't say aloud, as a fact to stand beside it: the value now, the highest."""
    known = _known(graph)
    if not known:
        return Facts(((graph.title, phrase("no data")),))
    last = Quantity(known[-1], graph.unit, digits(known[-1]))
    high = Quantity(max(known), graph.unit, digits(max(known)))
    return Facts(((graph.title, phrase("now {last}, highest {high}", last=last, high=high)),))


def drawable(graph: Graph) -> bool:
    """Whether a picture would show anything."""
    return bool(_known(graph))


def _known(graph: Graph) -> list[float]:
    """The known values of the curve that reaches highest, in time's order."""
    curve = max(graph.curves, key=_highest, default=None)
    return [value for _, value in curve.points if isfinite(value)] if curve else []


def worded(graph: Graph) -> Facts:
    """The graph as a fact, for a renderer without pictures."""
    return Facts(((graph.title, trend(graph)),))


def sparkline(curve: Curve, width: int = WIDTH) -> str:
    """At most *width* bars between the curve's own lowest and highest value; a gap where nothing is known."""
    values = [value for _, value in curve.points]
    known = [value for value in values if isfinite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(_bar(value, low, high) for value in _thinned(values, width))


def digits(value: float) -> int:
    """Digits after the point that say enough of *value*."""
    size = abs(value)
    return 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2 if size >= 0.1 else 4


def _highest(curve: Curve) -> float:
    return max((value for _, value in curve.points if isfinite(value)), default=float("-inf"))


def _bar(value: float, low: float, high: float) -> str:
    if not isfinite(value):
        return GAP
    span = high / 2 - low / 2  # halves: the whole may be more than a float holds
    share = (value / 2 - low / 2) / span if span else 0.0
    return BARS[min(len(BARS) - 1, int(share * len(BARS)))]


def _thinned(values: list[float], width: int) -> list[float]:
    """The highest of each stretch, so that no spike is lost."""
    if len(values) <= width:
        return values
    edges = [at * len(values) // width for at in range(width + 1)]
    return [_peak(values[low:high]) for low, high in pairwise(edges)]


def _peak(values: list[float]) -> float:
    return max((value for value in values if isfinite(value)), default=float("nan"))
