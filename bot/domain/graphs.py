"""Graphs in words, and made ready to draw: for wherever no picture can be shown, and for whoever makes one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from math import isfinite, nan
from operator import itemgetter
from statistics import median

from bot.domain.messages import Bar, Curve, Facts, Graph, Points
from bot.domain.phrases import Phrase, Quantity, phrase

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
WIDTH = 24
"""Bars that fit on one line of a phone beside two figures."""
HOLE = 1.5
"""So many usual steps without a point are a gap: a line across it would claim to know."""

HUGE = 1e15
"""A value beyond it is no measurement, and the labels of an axis could not hold it: drawn as a gap."""


def trend(graph: Graph) -> Phrase:
    """The graph on one line: bars, the value now, the highest; "no data" where nothing is known."""
    if graph.bars:
        return took(graph.bars)
    curve = _leading(graph)
    if curve is None:
        return phrase("no data")
    bars, high = sparkline(curve), quantity(highest(curve), graph.unit)
    if (last := now(curve)) is None:
        return phrase("{bars} unknown now, highest {high}", bars=bars, high=high)
    return phrase("{bars} now {last}, highest {high}", bars=bars, last=quantity(last, graph.unit), high=high)


def worded(graph: Graph) -> Facts:
    """The graph as a fact, for a renderer without pictures."""
    return Facts(((graph.title, trend(graph)),))


def figures(graph: Graph) -> Facts:
    """What a picture of the graph doesn't say aloud, as a fact to stand beside it: the value now, the highest."""
    if graph.bars:
        return Facts(((graph.title, took(graph.bars)),))
    curve = _leading(graph)
    if curve is None:
        return Facts(((graph.title, phrase("no data")),))
    high = quantity(highest(curve), graph.unit)
    if (last := now(curve)) is None:
        return Facts(((graph.title, phrase("unknown now, highest {high}", high=high)),))
    return Facts(((graph.title, phrase("now {last}, highest {high}", last=quantity(last, graph.unit), high=high)),))


def drawable(graph: Graph) -> bool:
    """Whether a picture would show anything."""
    return bool(graph.bars) or _leading(graph) is not None


def took(bars: tuple[Bar, ...]) -> Phrase:
    """How long all of *bars* took, and which of them longest."""
    length = max(bar.until for bar in bars) - min(bar.since for bar in bars)
    longest = max(bars, key=lambda bar: bar.until - bar.since)
    return phrase("{length} in all, longest: {name}, {time}",
                  length=length, name=longest.name, time=longest.until - longest.since)  # fmt: skip


def readings(curve: Curve, unit: str) -> Phrase:
    """The values of *curve* that matter: now, lowest, highest."""
    known = _known(curve)
    if not known:
        return phrase("no data")
    low, high, last = quantity(min(known), unit), quantity(max(known), unit), now(curve)
    if last is not None and _alike(known):
        return phrase("now {last}", last=quantity(last, unit))
    if last is None:
        return phrase("unknown now, lowest {low}, highest {high}", low=low, high=high)
    return phrase("now {last}, lowest {low}, highest {high}", last=quantity(last, unit), low=low, high=high)


def sparkline(curve: Curve, width: int = WIDTH) -> str:
    """At most *width* bars between the curve's own lowest and highest value; a gap where nothing is known.

    What differs by less than anybody is shown is flat, not a mountain.
    """
    known = _known(curve)
    if not known:
        return ""
    low, high = min(known), max(known)
    if _alike(known):
        low = high
    return "".join(_bar(value, low, high) for value in _peaks([value for _, value in with_gaps(curve.points)], width))


def now(curve: Curve) -> float | None:
    """The latest value; None when it is not known, however well the ones before were."""
    return curve.points[-1][1] if curve.points and isfinite(curve.points[-1][1]) else None


def highest(curve: Curve) -> float:
    """The highest value that is known; minus infinity without any."""
    return max(_known(curve), default=float("-inf"))


def plotted(graph: Graph, curves: int, points: int) -> tuple[Curve, ...]:
    """What a picture of *graph* can hold: so many curves of about so many points, gaps where nothing sane is known."""
    return tuple(
        Curve(
            curve.name,
            thinned(with_gaps(tuple((at, value if _sane(value) else nan) for at, value in curve.points)), points),
        )
        for curve in chosen(graph, curves)
    )


def limit_of(graph: Graph) -> Quantity | None:
    """The limit as somebody wrote it; None where there is none that could be drawn."""
    return exact(graph.limit, graph.unit) if graph.limit is not None and _sane(graph.limit) else None


def chosen(graph: Graph, most: int) -> tuple[Curve, ...]:
    """The curves to draw, in their own order: all of them, or the *most* that rise highest."""
    if len(graph.curves) <= most:
        return graph.curves
    kept = sorted(range(len(graph.curves)), key=lambda at: highest(graph.curves[at]), reverse=True)[:most]
    return tuple(graph.curves[at] for at in sorted(kept))


def stacked(curves: tuple[Curve, ...]) -> tuple[Curve, ...]:
    """Each one on top of those before it; where one is not known, neither is what stands on it."""
    below: dict[datetime, float] = {}
    found = []
    for curve in curves:
        points = tuple((at, value + below.get(at, 0.0)) for at, value in curve.points)
        below |= dict(points)
        found.append(Curve(curve.name, points))
    return tuple(found)


def reach(graph: Graph) -> tuple[datetime, datetime] | None:
    """The first and the last instant of all curves; None without any point."""
    ends = [at for curve in graph.curves if curve.points for at in (curve.points[0][0], curve.points[-1][0])]
    ends += [at for bar in graph.bars for at in (bar.since, bar.until)]
    return (min(ends), max(ends)) if ends else None


def with_gaps(points: Points) -> Points:
    """*points* with a NaN wherever steps are missing: Prometheus leaves out what it does not know."""
    steps = [(later - earlier).total_seconds() for (earlier, _), (later, _) in pairwise(points)]
    if len(steps) < 3:
        return points
    return tuple(_gapped(points, HOLE * median(steps)))


def thinned(points: Points, most: int) -> Points:
    """About *most* points that draw the same line: both ends, and of each stretch its lowest, highest and first gap."""
    if len(points) <= most:
        return points
    count = max(1, most // 2)
    edges = [at * len(points) // count for at in range(count + 1)]
    telling = (point for low, high in pairwise(edges) for point in _telling(points[low:high]))
    return tuple(sorted(dict((points[0], *telling, points[-1])).items()))


def quantity(value: float, unit: str) -> Quantity:
    """*value* with as many digits as say enough of it."""
    return Quantity(value, unit, digits(value))


def exact(value: float, unit: str) -> Quantity:
    """*value* with no more digits than it has: somebody wrote it down."""
    enough = (count for count in range(digits(value)) if round(value, count) == value)
    return Quantity(value, unit, next(enough, digits(value)))


def digits(value: float) -> int:
    """Digits after the point that say enough of *value*."""
    size = abs(value)
    return 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2 if size >= 0.1 else 4


def _leading(graph: Graph) -> Curve | None:
    """The measured curve that reaches highest, of parts of a whole their sum; None where nothing is known of any."""
    curves = stacked(graph.curves)[-1:] if graph.stacked else graph.curves
    measured = (curve for curve in curves if not curve.guide and _known(curve))
    return max(measured, key=highest, default=None)


def _alike(known: list[float]) -> bool:
    """Whether all of them read the same."""
    high = max(known)
    return round(min(known), digits(high)) == round(high, digits(high))


def _sane(value: float) -> bool:
    return abs(value) < HUGE


def _known(curve: Curve) -> list[float]:
    return [value for _, value in curve.points if isfinite(value)]


def _bar(value: float, low: float, high: float) -> str:
    if not isfinite(value):
        return GAP
    span = high / 2 - low / 2  # halves: the whole may be more than a float holds
    share = (value / 2 - low / 2) / span if span else 0.0
    return BARS[min(len(BARS) - 1, int(share * len(BARS)))]


def _peaks(values: list[float], width: int) -> list[float]:
    """The highest of each stretch, so that no spike is lost."""
    if len(values) <= width:
        return values
    edges = [at * len(values) // width for at in range(width + 1)]
    return [max(filter(isfinite, values[low:high]), default=nan) for low, high in pairwise(edges)]


def _telling(stretch: Points) -> Iterator[tuple[datetime, float]]:
    known = [point for point in stretch if isfinite(point[1])]
    if known:
        yield min(known, key=itemgetter(1))
        yield max(known, key=itemgetter(1))
    yield from [point for point in stretch if not isfinite(point[1])][:1]


def _gapped(points: Points, hole: float) -> Iterator[tuple[datetime, float]]:
    for (at, value), (later, _) in pairwise(points):
        yield at, value
        if (later - at).total_seconds() > hole:
            yield at + (later - at) / 2, nan
    yield points[-1]
