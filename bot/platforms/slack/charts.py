"""A graph as Slack's own line chart: at most 20 moments, each with one value on every curve.

Shape: docs.slack.dev/reference/block-kit/blocks/data-visualization-block.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import ceil, isfinite

from bot.domain.graphs import chosen
from bot.domain.messages import Curve, Graph
from bot.domain.phrases import Phrase, Words, phrase
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import Json, Room, flat
from bot.platforms.slack.texts import cut, size

_LEAST = 2
"""Points of a line."""


def chart(graph: Graph, words: Words, room: Room) -> list[Json]:
    """One data_visualization, or no block: too few points, a gap (it can't be drawn), or no room."""
    curves = _foremost(graph)
    times, rows = _columns(curves)
    if len(times) < _LEAST or not curves:
        return []
    labels = _labels(times, words)
    if len(set(labels)) < len(labels):
        return []
    names = _names([curve.name for curve in curves], words)
    if _limited(graph) and graph.limit is not None:
        names.append(_unique(cut(flat(phrase("limit"), words), limits.CHART_LABEL), names))
        rows.append([graph.limit] * len(times))
    series = [{"name": name, "data": _points(labels, row)} for name, row in zip(names, rows, strict=True)]
    title = cut(flat(graph.title, words), limits.CHART_TITLE) or "–"
    axis: Json = {"categories": labels}
    if graph.unit:
        axis["y_label"] = cut(words.translate(graph.unit), limits.CHART_AXIS)
    cost = sum(map(size, [title, *labels * (len(names) + 1), *names, axis.get("y_label", "")]))
    if cost > room.left:
        return []
    room.spend(cost)
    if len(curves) < len(graph.curves):
        room.miss()
    return [
        {
            "type": "data_visualization",
            "title": title,
            "chart": {"type": "line", "series": series, "axis_config": axis},
        }
    ]


def _limited(graph: Graph) -> bool:
    return graph.limit is not None and isfinite(graph.limit)


def _foremost(graph: Graph) -> list[Curve]:
    """As many curves as a chart takes, the highest ones, in their own order."""
    return list(chosen(graph, limits.CHART_SERIES - _limited(graph)))


def _columns(curves: Sequence[Curve]) -> tuple[list[datetime], list[list[float]]]:
    """At most 20 moments and each curve's value at them, the highest of its stretch so that no spike is lost.

    The time before every curve is known is left off. Empty when there is a gap after that: a line over it would show
    what nobody knows.
    """
    known = [{at: value for at, value in curve.points if isfinite(value)} for curve in curves]
    every = sorted({at for curve in curves for at, _ in curve.points})
    if _jumps(every):
        return [], []
    width = max(1, ceil(len(every) / limits.CHART_POINTS))
    # Counted from the end: the last moment is the one that matters, and the steps between them are alike.
    ends = range(len(every), 0, -width)
    stretches = [every[max(0, end - width) : end] for end in reversed(ends)]
    table = [[_peak(values, stretch) for stretch in stretches] for values in known]
    begin = max((_first(row) for row in table), default=0)
    table = [row[begin:] for row in table]
    if not all(isfinite(value) for row in table for value in row):
        return [], []
    return [stretch[-1] for stretch in stretches[begin:]], table


def _jumps(times: Sequence[datetime]) -> bool:
    """Whether moments are missing among those that come at a steady step."""
    steps = [after - before for before, after in pairwise(times)]
    return bool(steps) and max(steps) > 2 * min(steps)


def _peak(values: dict[datetime, float], stretch: Sequence[datetime]) -> float:
    return max((values[at] for at in stretch if at in values), default=float("nan"))


def _first(row: Sequence[float]) -> int:
    return next((at for at, value in enumerate(row) if isfinite(value)), len(row))


def _labels(times: Sequence[datetime], words: Words) -> list[str]:
    """How long before the last moment: the same for a reader in any zone."""
    before = [words.duration(at - times[-1]) for at in times[:-1]]
    return [cut(label, limits.CHART_LABEL) for label in (*before, flat(phrase("now"), words))]


def _names(names: Sequence[Phrase], words: Words) -> list[str]:
    found: list[str] = []
    for name in names:
        found.append(_unique(cut(flat(name, words), limits.CHART_LABEL) or "–", found))
    return found


def _unique(name: str, taken: Sequence[str]) -> str:
    """Slack refuses two series of one name; cut ones may have become the same."""
    number, told = 1, name
    while told in taken:
        number += 1
        told = f"{cut(name, limits.CHART_LABEL - 3)} {number}"
    return told


def _points(labels: Sequence[str], values: Sequence[float]) -> list[Json]:
    return [{"label": label, "value": float(f"{value:.6g}")} for label, value in zip(labels, values, strict=True)]
