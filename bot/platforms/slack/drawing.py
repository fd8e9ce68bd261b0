"""The parts of a card as blocks: newer ones where they are allowed and suit, else classic ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TypeAlias, TypeVar, assert_never

from bot.domain.graphs import trend, worded
from bot.domain.messages import (
    Aside,
    Block,
    Collapsed,
    Facts,
    Graph,
    Lines,
    Paragraph,
    Preformatted,
    Progress,
    StepMark,
    Table,
)
from bot.domain.phrases import Phrase, Words, phrase
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import (
    Json,
    Room,
    Runs,
    bullets,
    fixed,
    flat,
    markdown,
    marked,
    more,
    mrkdwn,
    plain,
    rich,
    section,
    stacked,
)
from bot.platforms.slack.charts import chart
from bot.platforms.slack.grids import columns, grid
from bot.platforms.slack.richer import RICH, data_table, folded, plan
from bot.platforms.slack.spoken import MARKS
from bot.platforms.slack.texts import MORE, clean, cut_lines, size

_NOTE = 40
"""Characters kept in each part for how much of it was left out."""
_LEAST = 200
"""Characters below which another part of a card is not begun."""
_HEAD = 2
"""Lines of a table's head."""
_LINE = 80
"""Characters below which another line of a part is not begun."""
_BODY = limits.BLOCKS - 3
"""Blocks besides the header, the note and the buttons."""
_MOST = {
    "data_visualization": limits.CHARTS,
    "data_table": limits.DATA_TABLES,
    "plan": limits.PLANS,
    "container": limits.BLOCKS,
}
"""Blocks of each newer type in one message."""
Step: TypeAlias = tuple[StepMark, Phrase, Phrase | None]
T = TypeVar("T")


class Drawing:
    """One card's parts. *allowed*: the newer block types to use; *caption*: what the card is about."""

    def __init__(self, words: Words, room: Room, allowed: frozenset[str], caption: str) -> None:
        self._words, self._room, self._caption = words, room, caption
        self._left = {kind: _MOST[kind] for kind in allowed}

    def body(self, parts: tuple[Block, ...]) -> tuple[list[Json], int]:
        """The blocks of all *parts* that fit, in their order, and how many parts did not."""
        drawn: dict[int, list[Json]] = {}
        count = dropped = 0
        for at in sorted(range(len(parts)), key=lambda at: (at > 0, not isinstance(parts[at], Aside), at)):
            blocks = self._drawn(parts[at]) if self._room.left >= _LEAST and count < _BODY else None
            more_blocks = sum(map(weight, blocks or ()))
            if blocks is None or count + more_blocks > _BODY:
                dropped += 1
            else:
                drawn[at] = blocks
                count += more_blocks
        return [block for at in sorted(drawn) for block in drawn[at]], dropped

    def _drawn(self, part: Block) -> list[Json]:
        """*part* as a newer block where that is allowed and suits, else as a classic one."""
        blocks = self._richer(part, self._room.within(self._room.left - _NOTE))
        for block in blocks:
            if block["type"] in RICH:
                self._left[block["type"]] -= 1
        return blocks or self._part(part)

    def _richer(self, part: Block, room: Room) -> list[Json]:
        match part:
            case Graph() if self._may("data_visualization"):
                return self._chart(part, room)
            case Table() if self._may("data_table"):
                blocks, left_out = data_table(part, self._caption, self._words, room)
                return [*blocks, *rich(self._more(left_out, room))]
            case Progress() if self._may("plan"):
                return plan(part, self._words, room)
            case Collapsed() if self._may("container"):
                return folded(part, self._words, room)
            case _:
                return []

    def _may(self, kind: str) -> bool:
        return self._left.get(kind, 0) > 0

    def _chart(self, graph: Graph, room: Room) -> list[Json]:
        """The line in words stands above it: the figures that matter, also where no chart is drawn."""
        drawn = chart(graph, self._words, room)
        if not drawn:
            return []
        until = max(at for curve in graph.curves for at, _ in curve.points)
        said = phrase("{trend} · as of {at}", trend=trend(graph), at=until)
        return [*self._small([said], room), *drawn, *self._marks(graph, room)]

    def _marks(self, graph: Graph, room: Room) -> list[Json]:
        """What happened when, the latest ones."""
        marks = sorted(graph.marks, key=itemgetter(0))[-limits.CONTEXT_ELEMENTS :]
        return self._small([marked(at, what) for at, what in marks], room)

    def _part(self, part: Block) -> list[Json]:  # noqa: C901 - one flat match
        room = self._room.within(min(limits.BLOCK_TEXT, self._room.left - _NOTE))
        match part:
            case Paragraph(text):
                runs = self._runs(room).add(text)
                return rich([section(runs)] if runs.shows() else [])
            case Aside(text):
                return self._small([text], room)
            case Facts(pairs):
                return columns(pairs, self._words, room) or self._pairs(pairs, room)
            case Lines(items, left_out):
                return rich(self._list(items, left_out, room))
            case Collapsed(title, items):
                heading = self._runs(room).add(title, bold=True, flat=True)
                return rich([*([section(heading)] if heading.shows() else []), *self._list(items, 0, room)])
            case Preformatted(text):
                return rich(self._fixed(clean(text), room))
            case Progress(steps):
                return self._progress(steps, room)
            case Table():
                return self._table(part, room)
            case Graph():
                return [*self._pairs(worded(part).pairs, room), *self._marks(part, room)]
            case _:
                assert_never(part)

    def _runs(self, room: Room) -> Runs:
        return Runs(self._words, room)

    def _small(self, texts: Iterable[Phrase], room: Room) -> list[Json]:
        """Small print, at most ``limits.CONTEXT_ELEMENTS`` sentences of it."""
        elements = [element for text in texts for element in self._aside(text, room.within(limits.SMALL_PRINT))]
        return [{"type": "context", "elements": elements}] if elements else []

    def _aside(self, text: Phrase, room: Room) -> list[Json]:
        said = markdown(text, self._words)
        if said and size(said) <= room.left:
            room.spend(size(said))
            return [mrkdwn(said)]
        small = room.take(flat(text, self._words))
        return [plain(small)] if small else []

    def _pairs(self, pairs: Sequence[tuple[Phrase, Phrase]], room: Room) -> list[Json]:
        """Facts as lines."""
        lines = [
            self._runs(room).add(label, bold=True, flat=True).say(": ").add(value, flat=True)
            for label, value in self._fitting(pairs, room)
        ]
        return rich([*stacked(lines), *self._more(len(pairs) - len(lines), room)])

    def _list(self, items: Sequence[Phrase], left_out: int, room: Room) -> list[Json]:
        lines = [self._runs(room).add(item, flat=True) for item in self._fitting(items, room)]
        return [*bullets(lines), *self._more(len(items) - len(lines) + left_out, room)]

    def _progress(self, steps: Sequence[Step], room: Room) -> list[Json]:
        lines = [self._step(step, self._runs(room)) for step in self._fitting(steps, room)]
        return rich([*stacked(lines), *self._more(len(steps) - len(lines), room)])

    def _step(self, step: Step, runs: Runs) -> Runs:
        mark, title, said = step
        runs.say(f"{MARKS[mark]} ").add(title, bold=mark is StepMark.RUNNING, flat=True)
        return runs if said is None else runs.say(" – ").add(said, flat=True)

    def _fixed(self, text: str, room: Room, beyond: int = 0) -> list[Json]:
        """*text* in fixed width; *beyond*: lines that are left out already."""
        fitting, left_out = cut_lines(text, room.left, limits.LINES + _HEAD)
        if not fitting.strip():
            return []
        if fitting.endswith(MORE):
            room.miss()
        room.spend(size(fitting))
        return [fixed(fitting), *self._more(left_out + beyond, room)]

    def _table(self, table: Table, room: Room) -> list[Json]:
        """Fixed width where that does not wrap; else one line for each row, its cells named."""
        first = table.rows[: limits.LINES]
        lines = grid([[flat(cell, self._words) for cell in row] for row in (table.header, *first)])
        if lines is not None:
            return rich(self._fixed("\n".join(lines), room, len(table.rows) - len(first)))
        rows = [self._row(table.header, row, self._runs(room)) for row in self._fitting(table.rows, room)]
        return rich([*bullets(rows), *self._more(len(table.rows) - len(rows), room)])

    def _row(self, header: Sequence[Phrase], row: Sequence[Phrase], runs: Runs) -> Runs:
        runs.add(row[0], bold=True, flat=True)
        for title, cell in zip(header[1:], row[1:], strict=True):
            runs.say(" · ").add(title, flat=True).say(": ").add(cell, flat=True)
        return runs

    def _fitting(self, items: Sequence[T], room: Room) -> Iterator[T]:
        """One after the other while there is room for another line."""
        for item in items[: limits.LINES]:
            if room.left < _LINE:
                return
            yield item

    def _more(self, count: int, room: Room) -> list[Json]:
        if count <= 0:
            return []
        room.miss()
        return [section(Runs(self._words, self._room).add(more(count)))]


def weight(block: Json) -> int:
    """Blocks it counts as: those inside may count too."""
    return 1 + len(block.get("child_blocks", ()))
