"""From a neutral message to the JSON tree that the page turns into elements. Pure.

``{"title": runs, "tone": "critical", "blocks": [block…], "buttons": [button…], "whole": text, "clipped": bool}``

A run is ``{"kind": "text|strong|code|link|moment", "text"}``, a link with ``"url"`` (http(s) only), a moment with
``"at"``. Times are ISO 8601 in the reader's zone. A block is ``{"kind": …}`` with: paragraph, aside ``runs`` · facts
``pairs`` of ``label`` and ``value`` · lines ``items``, ``more`` · table ``header``, ``rows`` · preformatted ``text`` ·
progress ``steps`` of ``mark``, ``title``, ``said`` · collapsed ``title``, ``items`` · graph ``title``, ``trend`` (in
words), ``curves`` of ``name``, ``now``, ``figures``, ``points`` ([time, value or null]), ``more`` curves left out,
``unit`` (what stands before and after a number), ``limit`` (``value``, ``text``) or null, ``marks`` ([time, text]). A
button is ``label``, ``command`` or ``url``, ``style``, ``confirm`` (``title``, ``text``) or null. The page sets every
text as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Any, TypeAlias, assert_never

from bot.domain.graphs import limit_of, now, plotted, quantity, readings, trend, worded
from bot.domain.messages import (
    Aside,
    Block,
    Button,
    Collapsed,
    Confirm,
    Curve,
    Facts,
    Graph,
    Lines,
    Message,
    Paragraph,
    Preformatted,
    Progress,
    Table,
)
from bot.domain.phrases import Phrase, Piece, Quantity, Words, phrase, pieces
from bot.domain.texts import clean, web
from bot.platforms.console import limits

_ONE_LINE = str.maketrans("\n\t", "  ")
Runs: TypeAlias = "list[dict[str, str]]"
Tree: TypeAlias = "dict[str, Any]"


def render(message: Message, words: Words) -> Tree:
    """*message* in the reader's language; cut off where it would weigh more than ``limits.CARD``."""
    drawing = _Drawing(words)
    title = drawing.runs(message.title)
    buttons = [drawing.button(button) for button in message.buttons if _pressable(button)]
    blocks = [drawing.block(block) for block in message.blocks if drawing.left > 0]
    return {
        "title": title,
        "tone": message.tone.value,
        "blocks": blocks,
        "buttons": buttons,
        "whole": drawing.text(message.whole),
        "clipped": drawing.clipped,
    }


def _pressable(button: Button) -> bool:
    """A command that a masked secret would change can't be sent back, so it isn't offered."""
    if button.command:
        return clean(button.command) == button.command
    return web(button.url)


class _Drawing:
    """One rendering: the reader's words, and how many bytes are left."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self.left = limits.CARD
        self.clipped = False

    def text(self, text: str) -> str:
        """*text*, cleaned and cut to what is left."""
        text = clean(text)
        weight = _weight(text)
        if weight > max(0, self.left):
            text = _cut(text, self.left)
            self.left, self.clipped = 0, True
        else:
            self.left -= weight
        return text

    def address(self, url: str) -> str:
        """*url*, cleaned; whole or not at all, since half an address leads elsewhere."""
        url = clean(url)
        if _weight(url) > max(0, self.left):
            self.clipped = True
            return ""
        self.left -= _weight(url)
        return url

    def runs(self, sentence: Phrase) -> Runs:
        return [self._run(piece) for piece in pieces(sentence, self._words)]

    def _run(self, piece: Piece) -> dict[str, str]:
        self.left -= limits.RUN_OVERHEAD
        run = {"kind": piece.kind, "text": self.text(piece.text)}
        if piece.kind == "link":
            run["url"] = self.address(piece.url)
        if piece.at is not None:
            run["at"] = self._words.local(piece.at).isoformat()
        return run

    def block(self, block: Block) -> Tree:  # noqa: C901 - one flat match
        self.left -= limits.RUN_OVERHEAD
        match block:
            case Paragraph(text):
                return {"kind": "paragraph", "runs": self.runs(text)}
            case Aside(text):
                return {"kind": "aside", "runs": self.runs(text)}
            case Facts(pairs):
                shown = self._while_room(pairs)
                drawn = [{"label": self.runs(label), "value": self.runs(value)} for label, value in shown]
                return {"kind": "facts", "pairs": drawn}
            case Lines(items, more):
                listed = self._items(items)
                return {"kind": "lines", "items": listed, "more": more + len(items) - len(listed)}
            case Preformatted(text):
                return {"kind": "preformatted", "text": self.text(text)}
            case Collapsed(title, items):
                return {"kind": "collapsed", "title": self.runs(title), "items": self._items(items)}
            case Table() | Progress():
                return self._grid(block)
            case Graph():
                return self._graph(block)
            case _:
                assert_never(block)

    def _grid(self, block: Table | Progress) -> Tree:
        match block:
            case Table(header, rows):
                drawn = [[self.runs(cell) for cell in row] for row in self._while_room(rows)]
                return {"kind": "table", "header": [self.runs(cell) for cell in header], "rows": drawn}
            case Progress(steps):
                told = [
                    {"mark": mark.value, "title": self.runs(title), "said": self.runs(said) if said else None}
                    for mark, title, said in self._while_room(steps)
                ]
                return {"kind": "progress", "steps": told}
            case _:
                assert_never(block)

    def _graph(self, graph: Graph) -> Tree:
        """In words alone where its points would weigh more than what is left, or it has bars."""
        if graph.bars:
            return self.block(worded(graph))
        curves = plotted(graph, limits.CURVES, limits.POINTS)
        weight = limits.POINT * sum(len(curve.points) for curve in curves)
        if weight > self.left:
            return self.block(worded(graph))
        self.left -= weight
        limit = limit_of(graph)
        return {
            "kind": "graph",
            "title": self.runs(graph.title),
            "trend": self._flat(trend(graph)),
            "curves": [self._curve(curve, graph.unit) for curve in curves],
            "more": len(graph.curves) - len(curves),
            "unit": list(self._flat(phrase("{value}", value=Quantity(0, graph.unit, 0))).partition("0")[::2]),
            "limit": limit and {"value": limit.number, "text": self._flat(phrase("limit {value}", value=limit))},
            "marks": [[self._time(at), self._flat(what)] for at, what in self._while_room(graph.marks)],
        }

    def _curve(self, curve: Curve, unit: str) -> Tree:
        points = [[self._time(at), value if isfinite(value) else None] for at, value in curve.points]
        last = now(curve)
        value = phrase("unknown") if last is None else phrase("{value}", value=quantity(last, unit))
        return {
            "name": self._flat(curve.name),
            "now": self._flat(value),
            "figures": self._flat(readings(curve, unit)),
            "points": points,
        }

    def _time(self, at: datetime) -> str:
        return self._words.local(at).isoformat(timespec="seconds")

    def _flat(self, sentence: Phrase) -> str:
        """Cleaned once more as one text: what hides a secret may stand in two runs of it."""
        return clean("".join(run["text"] for run in self.runs(sentence))).translate(_ONE_LINE)

    def _items(self, items: Iterable[Phrase]) -> list[Runs]:
        return [self.runs(item) for item in self._while_room(items)]

    def _while_room(self, items: Iterable[Any]) -> Iterable[Any]:
        for item in items:
            if self.left <= 0:
                self.clipped = True
                return
            yield item

    def button(self, button: Button) -> Tree:
        self.left -= limits.RUN_OVERHEAD * 2
        return {
            "label": self.runs(button.label),
            "command": button.command,
            "url": self.address(button.url),
            "style": button.style.value,
            "confirm": self._confirm(button.confirm) if button.confirm else None,
        }

    def _confirm(self, confirm: Confirm) -> Tree:
        return {"title": self.runs(confirm.title), "text": self.runs(confirm.text)}


def _weight(text: str) -> int:
    """Bytes of *text* in JSON: quotes, backslashes, tabs and line breaks take two."""
    return len(text.encode()) + sum(text.count(mark) for mark in '"\\\n\t')


def _cut(text: str, room: int) -> str:
    """As much of *text* as *room* bytes are sure to hold, and a sign that there was more."""
    return text.encode()[: max(0, room // 2)].decode(errors="ignore") + "…"
