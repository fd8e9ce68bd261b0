"""What took how long, as rows: a name, a bar at its time, how long that was; goals and moments as lines through all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from bot.adapters.pictures.easel import HEIGHT, WIDTH, Easel
from bot.adapters.pictures.themes import THEMES, Theme

MARGIN, FLOOR, NAMES, SMALL, TIME = 24.0, HEIGHT - 40.0, 300.0, 15.0, 12.0
"""Points of the grid: the edge, where the rows end, how broad names may be, sizes of letters."""
Scale: TypeAlias = Callable[[float], float]
"""From Unix seconds to points from the left."""
HIGHEST: Final = 26.0
LEAST: Final = 3.0
"""A bar is at least so broad: what took no time to speak of is still seen."""


def rows(easel: Easel, sheet: Mapping[str, Any], top: float) -> None:
    """All bars of *sheet* from *top* down."""
    ink, bars = THEMES[sheet["theme"]], sheet["bars"]
    names = [easel.text(0, 0, bar["name"], SMALL, ink.bright, room=NAMES) for bar in bars]
    left = MARGIN + max(map(easel.breadth, names)) + 14
    low, high = sheet["x"]["low"], sheet["x"]["high"]

    def place(moment: float) -> float:
        return float(left + (moment - low) / ((high - low) or 1.0) * (WIDTH - MARGIN - left))

    top = _lines(easel, sheet, ink, top, place)
    height = min(HIGHEST, (FLOOR - 4 - top) / len(bars))
    for at, (bar, name) in enumerate(zip(bars, names, strict=True)):
        y = top + at * height
        easel.move(name, MARGIN, y + (height - SMALL) / 2 - 0.5)
        _row(easel, bar, ink, (y + height * 0.18, height * 0.64, left), place)


def _row(easel: Easel, bar: Mapping[str, Any], ink: Theme, at: tuple[float, float, float], place: Scale) -> None:
    """*at*: its upper edge, its height, and where the names end."""
    y, height, edge = at
    start, still, end = place(bar["from"]), place(bar["still"]), place(bar["to"])
    end = max(end, start + LEAST)
    easel.bar(start, max(still, start), y, height, ink.soft if bar["waits"] else ink.curves[0])
    if bar["still"] < bar["to"] or still < start + LEAST:
        stuck = bar["still"] < bar["to"]
        colour = ink.limit if stuck else ink.soft if bar["waits"] else ink.curves[0]
        easel.bar(max(still, start), end, y, height, colour)
    told = easel.text(0, 0, bar["time"], TIME, ink.soft, chip=True)
    breadth = easel.breadth(told)
    beside = end + 7
    if beside + breadth > WIDTH - 8:
        beside = start - 7 - breadth
    if beside < edge:  # neither after it nor before it: at its end, written into its colour
        beside = end - 8 - breadth
        told.set_color(ink.ground)
        told.set_bbox(None)
    easel.move(told, beside, y + (height - TIME) / 2 - 0.5)


def _lines(easel: Easel, sheet: Mapping[str, Any], ink: Theme, top: float, place: Scale) -> float:
    """Times below, moments and goals through all; returns where the first row may begin."""
    for moment, text in sheet["x"]["ticks"]:
        x = place(moment)
        easel.line((x, x), (top, FLOOR), ink.faint, 1.2, zorder=1)
        label = easel.text(x, FLOOR + 10, text, SMALL, ink.soft, ha="center")
        half = easel.breadth(label) / 2
        easel.move(label, min(max(x, 10 + half), WIDTH - 10 - half), FLOOR + 10)
    for moment, text in sheet["marks"]:
        x = place(moment)
        easel.line((x, x), (top + SMALL + 6, FLOOR), ink.limit, 2.0, linestyle=(0, (5, 3)), zorder=4)
        label = easel.text(x, top, text, SMALL, ink.limit, ha="center")
        half = easel.breadth(label) / 2
        easel.move(label, min(max(x, MARGIN + half), WIDTH - MARGIN - half), top)
    return top + (SMALL + 10 if sheet["marks"] else 0)
