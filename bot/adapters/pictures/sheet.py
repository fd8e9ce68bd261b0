"""A graph made ready to draw: every text in the reader's words and zone, every tick placed. Pure.

What the worker gets as JSON, so that it needs neither catalogues nor zones::

    {"theme", "title", "figures", "nothing", "left_out", "stacked",
     "curves": [{"name", "now", "points": [[x, y or null], …]}],
     "x": {"low", "high", "ticks": [[x, text], …]}, "y": {"low", "high", "ticks": [[y, text], …]},
     "limit": {"at", "text"} or null, "marks": [[x, text], …],
     "bars": [{"name", "time", "from", "still", "to", "waits"}, …]}

x is Unix seconds; from ``still`` to its end a bar stood still. ``figures`` stands under the title of a graph with one
curve, or with bars; several curves have their values in a legend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor, isfinite, log10
from typing import Any, Final

import orjson

from bot.domain.graphs import limit_of, now, plotted, quantity, reach, readings, stacked, took
from bot.domain.messages import Bar, Curve, Graph, Points, StepMark
from bot.domain.phrases import Phrase, Quantity, Words, counted, phrase, pieces
from bot.domain.redact import redact
from bot.domain.texts import clipped

CURVES: Final = 6
"""Curves that a reader can tell apart: the colours of Okabe and Ito's palette on a dark ground, less the limit's."""
POINTS: Final = 600
"""Points of one curve: more than the picture has columns for them to differ."""
BARS: Final = 12
"""Rows that a phone still shows legibly."""
MARKS: Final = 6
TEXT: Final = 200
"""Characters of one text; what does not fit in its place is cut by the drawing."""
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = (
    *(_MINUTE * each for each in (1, 2, 5, 10, 15, 20, 30)),
    *(_HOUR * each for each in (1, 2, 3, 4, 6, 12)),
    *(_DAY * each for each in (1, 2, 3, 7, 14, 28, 56, 91, 182, 365)),
)
_SECONDS = (1, 2, 5, 10, 15, 30)
"""What took how long may be over in seconds; curves have no points so close together."""
_TICKS_X, _TICKS_Y = 5, 4
_ALONE = 300.0
"""Seconds shown on either side of a single point."""
_BESIDE = 0.15
"""Marks so far outside the curves, as a share of their length, are shown; others are left out."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def sheet(graph: Graph, words: Words, theme: str = "dark") -> bytes:
    """*graph* as the worker wants it. Equal bytes are equal pictures."""
    return orjson.dumps({"theme": theme, **_Sheet(graph, words).drawn()})


class _Sheet:
    def __init__(self, graph: Graph, words: Words) -> None:
        self._graph, self._words = graph, words
        self._shown = plotted(graph, CURVES, POINTS)
        self._bars = _longest(graph.bars, BARS)

    def drawn(self) -> dict[str, Any]:
        graph, shown = self._graph, self._shown
        drawn = stacked(shown) if graph.stacked else shown
        known = [value for curve in drawn for _, value in curve.points if isfinite(value)]
        left_out = len(graph.curves) - len(shown) + len(graph.bars) - len(self._bars)
        limit = limit_of(graph)
        low, high, marks = self._ends()
        return {
            "title": self._said(graph.title),
            "figures": self._figures(known),
            "nothing": "" if known or graph.bars else self._said(phrase("no data")),
            "left_out": self._said(counted("… and {n} more", "… and {n} more", left_out)) if left_out else "",
            "stacked": graph.stacked,
            "curves": [self._curve(curve, line.points) for curve, line in zip(shown, drawn, strict=True)],
            "x": {"low": low, "high": high, "ticks": list(self._times(low, high))},
            "y": self._values([*known, *((limit.number,) if limit else ()), *((0.0,) if graph.stacked else ())]),
            "limit": {"at": limit.number, "text": self._said(phrase("limit {value}", value=limit))} if limit else None,
            "marks": [[at.timestamp(), self._said(what)] for at, what in marks],
            "bars": [self._bar(bar) for bar in self._bars],
        }

    def _figures(self, known: Sequence[float]) -> str:
        if self._graph.bars:
            return self._said(took(self._graph.bars))
        return self._said(readings(self._shown[0], self._graph.unit)) if len(self._shown) == 1 and known else ""

    def _bar(self, bar: Bar) -> dict[str, Any]:
        time = phrase("{length}", length=bar.until - bar.since)
        if bar.stuck:
            time = phrase("{time}, stuck for {stuck}", time=time, stuck=bar.stuck)
        marks = {StepMark.FAILED: "✖ ", StepMark.SKIPPED: "– "}
        return {
            "name": marks.get(bar.mark or StepMark.DONE, "") + self._said(bar.name), "time": self._said(time),
            "from": bar.since.timestamp(), "still": (bar.until - bar.stuck).timestamp(), "to": bar.until.timestamp(),
            "waits": bar.waits,
        }  # fmt: skip

    def _said(self, sentence: Phrase) -> str:
        return _line("".join(piece.text for piece in pieces(sentence, self._words)))

    def _curve(self, curve: Curve, line: Points) -> dict[str, Any]:
        """*line* is what is drawn of it: of a part of a whole, where it ends."""
        last = now(curve)
        value = phrase("unknown") if last is None else phrase("{value}", value=quantity(last, self._graph.unit))
        points = [[at.timestamp(), value if isfinite(value) else None] for at, value in line]
        return {"name": self._said(curve.name), "now": self._said(value), "points": points}

    def _ends(self) -> tuple[float, float, Sequence[tuple[datetime, Phrase]]]:
        """Both ends of the time axis, and the marks between them."""
        reached = reach(Graph(self._graph.title, self._shown, bars=self._bars))
        if reached is None:
            moments = [at.timestamp() for at, _ in self._graph.marks] or [0.0]
            return min(moments) - _ALONE, max(moments) + _ALONE, ()
        low, high = (each.timestamp() for each in reached)
        if low == high:
            low, high = low - _ALONE, high + _ALONE
        beside = _BESIDE * (high - low)
        marks = [mark for mark in self._graph.marks if low - beside <= mark[0].timestamp() <= high + beside][-MARKS:]
        moments = [at.timestamp() for at, _ in marks]
        return min((low, *moments)), max((high, *moments)), marks

    def _times(self, low: float, high: float) -> Iterator[tuple[float, str]]:
        """Ticks at round times of the reader's own clock."""
        if not self._bars and not any(curve.points for curve in self._shown):
            return
        steps = (*_SECONDS, *_STEPS) if self._bars else _STEPS
        step = next((each for each in steps if (high - low) / each <= _TICKS_X), steps[-1])
        at = self._words.local(datetime.fromtimestamp(low, UTC)).replace(minute=0, second=0, microsecond=0)
        at = at if step < _HOUR else at.replace(hour=0)
        while (moment := at.timestamp()) <= high:
            if moment >= low:
                yield moment, self._tick(at, step)
            at = self._next(at, step)

    def _next(self, at: datetime, step: int) -> datetime:
        """Days by the calendar, hours by the clock: they differ where summer time begins."""
        if step >= _DAY:
            return at + timedelta(seconds=step)
        return self._words.local(datetime.fromtimestamp(at.timestamp() + step, UTC))

    def _tick(self, at: datetime, step: int) -> str:
        midnight = (at.hour, at.minute) == (0, 0)
        if step < _MINUTE:
            return f"{at:%H:%M:%S}"
        return _line(self._words.day(at)) if step >= _DAY or midnight else f"{at:%H:%M}"

    def _values(self, shown: Sequence[float]) -> dict[str, Any]:
        """The value axis: from zero where that does not press the curve flat, and with the limit on it."""
        low, high = min(shown, default=0.0), max(shown, default=1.0)
        if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-9):
            low, high = low - (abs(low) / 8 or 1.0), high + (abs(high) / 8 or 1.0)
        if 0 <= low <= 0.8 * high:
            low = 0.0
        step = _round_step((high - low) / _TICKS_Y)
        bottom, top = floor(low / step), ceil(high / step)
        bottom, top = bottom - (bottom * step > low), top + (top * step < high)  # a tiny quotient is rounded to zero
        digits = max(0, min(9, -floor(log10(step) + 1e-9) + (0 if _one_digit(step) else 1)))
        ticks = [
            (at * step, self._said(phrase("{value}", value=Quantity(at * step, self._graph.unit, digits))))
            for at in range(bottom, top + 1)
        ]
        return {"low": bottom * step, "high": top * step, "ticks": ticks}


def _longest(bars: tuple[Bar, ...], most: int) -> tuple[Bar, ...]:
    """The *most* that took longest, in their own order."""
    kept = sorted(range(len(bars)), key=lambda at: bars[at].until - bars[at].since, reverse=True)[:most]
    return tuple(bars[at] for at in sorted(kept))


def _line(text: str) -> str:
    """Masked once more as a whole: what hides a secret may stand in two pieces of it."""
    text = redact(" ".join(_UNSEEN.sub(" ", text.encode("utf-8", "replace").decode()).split()))
    return clipped(text, TEXT)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below *least*."""
    power = 10.0 ** floor(log10(least))
    return next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= least * (1 - 1e-9))


def _one_digit(step: float) -> bool:
    scaled = step / 10.0 ** floor(log10(step) + 1e-9)
    return abs(scaled - round(scaled)) < 1e-6
