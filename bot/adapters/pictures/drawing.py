"""From a sheet (sheet.py) to a PNG: what stands where, and how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.adapters.pictures.bars import rows
from bot.adapters.pictures.easel import HEIGHT, WIDTH, Easel
from bot.adapters.pictures.themes import THEMES

DASHES: Final = (
    "solid", (0, (6, 1.6)), (0, (2, 1.2)), (0, (7, 1.6, 1.4, 1.6)), (0, (11, 2.5)), (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)  # fmt: skip
"""A second sign for eyes that do not tell the colours apart."""
TITLE, READING, SMALL = 25.0, 19.0, 17.0
"""Sizes of letters in points of the grid."""
MARGIN, TOP, FLOOR, INSET = 24.0, 18.0, HEIGHT - 44.0, 8.0
LEGEND_LINE, LEGEND_COLUMNS, SAMPLE = 28.0, 3, 34.0
MARK_ROWS, MARK_LINE = 3, SMALL + 9


def picture(sheet: Mapping[str, Any]) -> bytes:
    """The PNG of *sheet*."""
    drawing = _Drawing(sheet)
    drawing.heading()
    if sheet["nothing"]:
        drawing.nothing()
    elif sheet["bars"]:
        rows(drawing.easel, sheet, drawing.top)
    else:
        drawing.axes()
        drawing.limit()
        drawing.curves()
    return drawing.easel.png()


class _Drawing:
    def __init__(self, sheet: Mapping[str, Any]) -> None:
        self._ink = THEMES[sheet["theme"]]
        self.easel, self._sheet = Easel(self._ink), sheet
        self._left, self._right, self._top = MARGIN, WIDTH - MARGIN, 0.0
        self._ends: dict[str, tuple[float, float]] = {axis: (sheet[axis]["low"], sheet[axis]["high"]) for axis in "xy"}

    def heading(self) -> None:
        """The title, and under it the figures of the one curve or the legend of several."""
        sheet, easel, room = self._sheet, self.easel, WIDTH - 2 * MARGIN
        if sheet["left_out"]:
            rest = easel.text(self._right, TOP + 5, sheet["left_out"], READING, self._ink.soft, ha="right")
            room -= easel.breadth(rest) + 20
        easel.text(MARGIN, TOP, sheet["title"], TITLE, self._ink.bright, weight="bold", room=room)
        y = TOP + TITLE + 14
        if sheet["figures"]:
            easel.text(MARGIN, y, sheet["figures"], READING, self._ink.soft, room=WIDTH - 2 * MARGIN)
            y += LEGEND_LINE
        elif not sheet["nothing"]:
            y = self._legend(y)
        self._top = y + 14

    @property
    def top(self) -> float:
        """Where the heading ends."""
        return self._top

    def _legend(self, y: float) -> float:
        """In columns, a sample of the line before each name and its value after; returns where it ends."""
        curves, easel = self._sheet["curves"], self.easel
        columns = min(LEGEND_COLUMNS, max(1, len(curves)))
        breadth = (WIDTH - 2 * MARGIN) / columns
        for at, curve in enumerate(curves):
            x, row = MARGIN + at % columns * breadth, y + at // columns * LEGEND_LINE
            easel.line((x, x + SAMPLE), (row + 11, row + 11), self._ink.curves[at], 3.6, linestyle=DASHES[at], zorder=5)
            value = easel.text(0, row, curve["now"], READING, self._ink.bright)
            room = breadth - SAMPLE - 34 - easel.breadth(value)
            name = easel.text(x + SAMPLE + 9, row, curve["name"], READING, self._ink.soft, room=room)
            easel.move(value, x + SAMPLE + 18 + easel.breadth(name), row)
        return y + -(-len(curves) // columns) * LEGEND_LINE

    def nothing(self) -> None:
        """An empty frame that says so."""
        low, high, easel = self._top, HEIGHT - MARGIN, self.easel
        xs, ys = (self._left, self._right, self._right, self._left, self._left), (low, low, high, high, low)
        easel.line(xs, ys, self._ink.edge, 1.6, linestyle=(0, (4, 4)))
        easel.text(WIDTH / 2, (low + high) / 2, self._sheet["nothing"], TITLE, self._ink.soft, ha="center", va="center")

    def axes(self) -> None:
        """Value lines with their figures on the left, times below, what happened above."""
        easel, ticks = self.easel, self._sheet["y"]["ticks"]
        labels = [easel.text(0, 0, text, SMALL, self._ink.soft, ha="right", va="center", room=180) for _, text in ticks]
        self._left = MARGIN + max(map(easel.breadth, labels)) + 12
        self._marks()
        for label, (value, _) in zip(labels, ticks, strict=True):
            y = self._y(value)
            easel.move(label, self._left - 12, y)
            easel.line((self._left, self._right), (y, y), self._ink.faint, 1.2, zorder=1)
        easel.line((self._left, self._right), (FLOOR, FLOOR), self._ink.edge, 1.6, zorder=2)
        for moment, text in self._sheet["x"]["ticks"]:
            self._time(self._x(moment), text)

    def _marks(self) -> None:
        """A line through the plot for each, its label above the plot, lower where it would cover another."""
        taken: list[list[tuple[float, float]]] = []
        placed = [(self._x(moment), self._placed(moment, text, taken)) for moment, text in self._sheet["marks"]]
        for x, row in placed:
            top = self._top + (len(taken) if row is None else row) * MARK_LINE
            self.easel.line((x, x), (top, FLOOR), self._ink.bright, 1.6, linestyle=(0, (1.5, 2)), zorder=4, alpha=0.75)
        self._top += len(taken) * MARK_LINE

    def _placed(self, moment: float, text: str, taken: list[list[tuple[float, float]]]) -> int | None:
        """The row that the label stands in, the first where nothing does; None without one: then the line has to do."""
        label, x = self.easel.text(0, 0, text, SMALL, self._ink.bright, room=330), self._x(moment)
        breadth = self.easel.breadth(label)
        start = x + 8 if x + 8 + breadth <= self._right else max(self._left, x - 8 - breadth)
        free = (at for at, row in enumerate(taken) if all(start + breadth + 12 < a or start - 12 > b for a, b in row))
        row = next(free, len(taken))
        if row == MARK_ROWS:
            label.remove()
            return None
        if row == len(taken):
            taken.append([])
        taken[row].append((start, start + breadth))
        self.easel.move(label, start, self._top + row * MARK_LINE)
        return row

    def _time(self, x: float, text: str) -> None:
        easel = self.easel
        easel.line((x, x), (FLOOR, FLOOR + 6), self._ink.edge, 1.6, zorder=2)
        label = easel.text(x, 0, text, SMALL, self._ink.soft, ha="center")
        half = easel.breadth(label) / 2
        easel.move(label, min(max(x, 10 + half), WIDTH - 10 - half), FLOOR + 12)

    def limit(self) -> None:
        """The line not to be crossed, its label on it."""
        if not (limit := self._sheet["limit"]):
            return
        y = self._y(limit["at"])
        self.easel.line((self._left, self._right), (y, y), self._ink.limit, 2.4, linestyle=(0, (5, 3)), zorder=3)
        roomy = y - self._top > SMALL + 16
        at, side = (y - 10, "baseline") if roomy else (y + 9, "top")
        self.easel.text(self._left + 8, at, limit["text"], SMALL, self._ink.limit, va=side, chip=True)

    def curves(self) -> None:
        """Each with a colour and a dash of its own; the latest value is a dot, and so is a point alone.

        Of a stack each fills the room down to the one below it.
        """
        curves = self._sheet["curves"]
        low, high = self._ends["y"]
        base = self._y(min(max(0.0, low), high))
        for at, curve in reversed(list(enumerate(curves))):  # the first one on top
            below = dict(curves[at - 1]["points"]) if self._sheet["stacked"] and at else {}
            for run in _runs(curve["points"]):
                xs, ys = [self._x(x) for x, _ in run], [self._y(y) for _, y in run]
                if self._sheet["stacked"]:
                    floor = [base if (y := below.get(x)) is None else self._y(y) for x, _ in run]
                    self.easel.band(xs, ys, floor, self._ink.curves[at])
                elif len(curves) == 1:
                    self.easel.area(xs, ys, base, self._ink.curves[at])
                self.easel.line(xs, ys, self._ink.curves[at], 3.0, linestyle=DASHES[at], zorder=6 - at / 10)
                if len(run) == 1 or run[-1] is curve["points"][-1]:
                    self.easel.dot(xs[-1], ys[-1], self._ink.curves[at])

    def _x(self, moment: float) -> float:
        low, high = self._ends["x"]
        return self._left + INSET + (moment - low) / (high - low) * (self._right - self._left - 2 * INSET)

    def _y(self, value: float) -> float:
        low, high = self._ends["y"]
        return FLOOR - (value - low) / (high - low) * (FLOOR - self._top - INSET)


def _runs(points: Sequence[Any]) -> Iterator[list[Any]]:
    """Stretches without a gap."""
    run: list[Any] = []
    for point in points:
        if point[1] is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run
