"""Lines, areas and letters on the card of a picture, placed in points of its grid from the top left corner.

One of the two files that know matplotlib; only the worker imports them. A phone shows the picture about 400 points
wide, half its grid: hence the sizes of letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from bot.adapters.pictures.themes import Theme

WIDTH, HEIGHT, SCALE = 800, 400, 2
"""Points of the grid, and pixels of one point."""
COLOURS: Final = 64
"""Of the finished picture, in-between ones at the edges of lines and letters included."""
_CHIP: Final[dict[str, Any]] = {"alpha": 0.85, "edgecolor": "none", "pad": 3}


class Easel:
    """One picture in the making, on the card of its theme."""

    def __init__(self, theme: Theme) -> None:
        self._ground = theme.ground
        # Outside text is never read as formulas, and the letters are those that matplotlib brings along.
        mpl.rcParams.update({"text.parse_math": False, "font.family": ["DejaVu Sans"]})
        self._figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72 * SCALE, facecolor=theme.ground)
        self._canvas = FigureCanvasAgg(self._figure)
        self._grid = Affine2D().scale(SCALE)

    def png(self) -> bytes:
        """Few colours make a third of the bytes, and a phone on a bad line waits for bytes."""
        self._canvas.draw()  # type: ignore[no-untyped-call]
        pixels = self._canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        drawn = Image.frombuffer("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), pixels, "raw", "RGBA", 0, 1)
        out = BytesIO()
        drawn.convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
        return out.getvalue()

    def line(self, xs: Sequence[float], ys: Sequence[float], colour: str, width: float, **look: Any) -> None:  # noqa: ANN401
        """*look* is matplotlib's: ``linestyle``, ``alpha``, ``zorder``."""
        rounded: dict[str, Any] = {"solid_capstyle": "round", "solid_joinstyle": "round", "dash_joinstyle": "round"}
        self._add(Line2D(list(xs), self._flipped(ys), color=colour, linewidth=width, **rounded, **look))

    def dot(self, x: float, y: float, colour: str) -> None:
        """With a rim, so that it stands out of lines of the same colour."""
        rim: dict[str, Any] = {"markeredgecolor": self._ground, "markeredgewidth": 2.0}
        self._add(Line2D([x], self._flipped([y]), marker="o", markersize=9.5, color=colour, zorder=7, **rim))

    def area(self, xs: Sequence[float], ys: Sequence[float], base: float, colour: str) -> None:
        """Between a curve and its base line."""
        corners = zip((xs[0], *xs, xs[-1]), self._flipped((base, *ys, base)), strict=True)
        self._add(Polygon(list(corners), closed=True, facecolor=colour, alpha=0.15, linewidth=0, zorder=2.5))

    def band(self, xs: Sequence[float], ys: Sequence[float], floor: Sequence[float], colour: str) -> None:
        """Between two curves over the same places."""
        corners = zip((*xs, *reversed(xs)), self._flipped((*ys, *reversed(floor))), strict=True)
        self._add(Polygon(list(corners), closed=True, facecolor=colour, alpha=0.45, linewidth=0, zorder=2.5))

    def bar(self, start: float, end: float, y: float, height: float, colour: str) -> None:
        """From *start* to *end*, its upper edge at *y*."""
        low, high = self._flipped((y + height, y))
        corners = [(start, low), (end, low), (end, high), (start, high)]
        self._add(Polygon(corners, closed=True, facecolor=colour, linewidth=0, zorder=5))

    def text(self, x: float, y: float, text: str, size: float, colour: str, **look: Any) -> Text:  # noqa: ANN401
        """*look* is matplotlib's; besides, ``room``: points to cut it to, and ``chip``: on a patch of the ground."""
        room, box = look.pop("room", 0.0), {**_CHIP, "facecolor": self._ground} if look.pop("chip", False) else None
        style = {"zorder": 8, "va": "top", **look}
        drawn = Text(x, HEIGHT - y, text, fontsize=size, color=colour, bbox=box, **style)
        self._add(drawn)
        if room:
            self._fit(drawn, text, room)
        return drawn

    def move(self, drawn: Text, x: float, y: float) -> None:
        drawn.set_position((x, HEIGHT - y))

    def breadth(self, drawn: Text) -> float:
        """Points from its left to its right end."""
        return float(drawn.get_window_extent().width) / SCALE

    def _fit(self, drawn: Text, text: str, room: float) -> None:
        """The longest beginning of *text* that is no broader than *room*, found by halving."""
        if self.breadth(drawn) <= room:
            return
        fits, too_long = 0, len(text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            drawn.set_text(text[:middle].rstrip() + "…")
            fits, too_long = (middle, too_long) if self.breadth(drawn) <= room else (fits, middle)
        drawn.set_text(text[:fits].rstrip() + "…")

    def _add(self, artist: Artist) -> None:
        artist.set_transform(self._grid)
        self._figure.add_artist(artist)

    @staticmethod
    def _flipped(ys: Sequence[float]) -> list[float]:
        return [HEIGHT - y for y in ys]
