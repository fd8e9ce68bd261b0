"""A graph for a terminal: for each curve a line of bars beside its figures, the times at both ends under them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.domain.graphs import chosen, limit_of, reach, readings, sparkline
from bot.domain.messages import Graph
from bot.domain.phrases import Phrase, Words, counted, phrase
from bot.domain.texts import padded
from bot.platforms.console import limits

Said = Callable[[Phrase, int], str]
"""A sentence in the reader's language on one line, cut to so many columns."""


def lines(graph: Graph, said: Said, words: Words) -> Iterator[str]:
    """*graph*, line by line."""
    if graph.bars:
        yield said(graph.title, limits.CELL)
        yield from _spans(graph, said)
        return
    shown = chosen(graph, limits.CURVES)
    names = [said(curve.name, limits.NAME) for curve in shown] if len(shown) > 1 else [""] * len(shown)
    broad = max(map(len, names), default=0)
    bars = [sparkline(curve, limits.BARS) for curve in shown]
    long = max(map(len, bars), default=0)
    yield said(graph.title, limits.CELL)
    if not shown:
        yield "  " + said(phrase("no data"), limits.CELL)
    for name, line, curve in zip(names, bars, shown, strict=True):
        yield _row(padded(name, broad), line.ljust(long), said(readings(curve, graph.unit), limits.CELL))
    limit = limit_of(graph)
    limited = said(phrase("limit {value}", value=limit), limits.CELL) if limit else ""
    if below := _row(" " * broad, _ends(graph, words, long), limited).rstrip():
        yield below
    if more := len(graph.curves) - len(shown):
        yield "  " + said(counted("… and {n} more", "… and {n} more", more), limits.CELL)
    for at, what in graph.marks[-limits.MARKS :]:
        yield f"  {words.local(at):%H:%M}  {said(what, limits.CELL)}"


def _row(name: str, bars: str, rest: str) -> str:
    return "  " + "  ".join(part for part in (name, bars, rest) if part)


def _ends(graph: Graph, words: Words, room: int) -> str:
    """The first and the last time, as far apart as the bars are long; with their days where those differ."""
    if not room or (reached := reach(graph)) is None:
        return ""
    first, last = (words.local(at) for at in reached)
    if first == last:
        return f"{first:%H:%M}"
    days = [f"{words.day(at)} " if first.date() != last.date() else "" for at in reached]
    left, right = f"{days[0]}{first:%H:%M}", f"{days[1]}{last:%H:%M}"
    return left + " " * max(1, room - len(left) - len(right)) + right


def _spans(graph: Graph, said: Said) -> Iterator[str]:
    """Each bar at its place in the whole time; what stood still is drawn thinner."""
    first, last = reach(graph) or (graph.bars[0].since, graph.bars[0].until)
    whole = (last - first).total_seconds() or 1.0
    names = [said(bar.name, limits.STEP) for bar in graph.bars]
    broad = max(map(len, names))
    for name, bar in zip(names, graph.bars, strict=True):
        edges = (bar.since, bar.until - bar.stuck, bar.until)
        start, still, end = (round((at - first).total_seconds() / whole * limits.BARS) for at in edges)
        start = min(start, limits.BARS - 1)
        still, end = max(still, start + (not bar.stuck)), max(end, start + 1)
        line = " " * start + ("░" if bar.waits else "█") * (still - start) + "▒" * (end - still)
        length = said(phrase("{length}", length=bar.until - bar.since), limits.CELL)
        yield _row(padded(name, broad), line.ljust(limits.BARS), length)
