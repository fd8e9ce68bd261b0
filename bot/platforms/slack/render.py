"""From a neutral message to Slack: blocks for eyes, ``text`` for notifications and screen readers. Pure.

Order on the card: title with its sign, what the duty says, small print, buttons. Where not everything fits, the
verdict (title, first part), the small print and the buttons stay, the rest is cut at a line and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, assert_never

from bot.domain.graphs import worded
from bot.domain.messages import (
    Aside,
    Block,
    Collapsed,
    Facts,
    Graph,
    Lines,
    Message,
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
    more,
    mrkdwn,
    plain,
    rich,
    section,
    stacked,
)
from bot.platforms.slack.buttons import actions
from bot.platforms.slack.grids import columns, grid
from bot.platforms.slack.spoken import MARKS, SIGNS, spoken
from bot.platforms.slack.texts import MORE, clean, cut_lines, size

_NOTES = 200
"""Characters kept for what the card says at its end about itself."""
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
Step: TypeAlias = tuple[StepMark, Phrase, Phrase | None]
T = TypeVar("T")


@dataclass(frozen=True)
class Rendered:
    """``text`` carries the whole meaning by itself; ``shortened``: ``Message.whole`` should be attached."""

    text: str
    blocks: list[Json]
    shortened: bool


def render(message: Message, words: Words) -> Rendered:
    """*message* in the reader's language, within every limit of Slack."""
    room = Room(limits.BLOCKS_TEXT - _NOTES)
    title = room.within(limits.HEADER).take(f"{SIGNS[message.tone]} {flat(message.title, words)}".strip())
    buttons, offered_all = actions(message.buttons, words, room)
    body, dropped = _Drawing(words, room).body(message.blocks)
    omitted = any(isinstance(block, Lines) and block.more for block in message.blocks)
    shortened = room.left_out or bool(dropped) or not offered_all or omitted
    note = _note(dropped, words, attached=shortened and bool(message.whole))
    header = {"type": "header", "text": plain(title)}
    return Rendered(spoken(message, words), [header, *body, *note, *buttons], shortened)


def _note(dropped: int, words: Words, *, attached: bool) -> list[Json]:
    said = [flat(more(dropped), words)] if dropped else []
    if attached:
        said.append(flat(phrase("The attached file has all of it."), words))
    return [{"type": "context", "elements": [plain(" ".join(said))]}] if said else []


class _Drawing:
    def __init__(self, words: Words, room: Room) -> None:
        self._words, self._room = words, room

    def body(self, parts: tuple[Block, ...]) -> tuple[list[Json], int]:
        """The blocks of all *parts* that fit, in their order, and how many parts did not."""
        drawn: dict[int, list[Json]] = {}
        count = dropped = 0
        for at in sorted(range(len(parts)), key=lambda at: (at > 0, not isinstance(parts[at], Aside), at)):
            blocks = self._part(parts[at]) if self._room.left >= _LEAST and count < _BODY else None
            if blocks is None or count + len(blocks) > _BODY:
                dropped += 1
            else:
                drawn[at] = blocks
                count += len(blocks)
        return [block for at in sorted(drawn) for block in drawn[at]], dropped

    def _part(self, part: Block) -> list[Json]:  # noqa: C901 - one flat match
        room = self._room.within(min(limits.BLOCK_TEXT, self._room.left - _NOTE))
        match part:
            case Paragraph(text):
                runs = self._runs(room).add(text)
                return rich([section(runs)] if runs.shows() else [])
            case Aside(text):
                return self._aside(text, room.within(limits.SMALL_PRINT))
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
                return self._part(worded(part))
            case _:
                assert_never(part)

    def _runs(self, room: Room) -> Runs:
        return Runs(self._words, room)

    def _aside(self, text: Phrase, room: Room) -> list[Json]:
        marked = markdown(text, self._words)
        if marked and size(marked) <= room.left:
            room.spend(size(marked))
            return [{"type": "context", "elements": [mrkdwn(marked)]}]
        small = room.take(flat(text, self._words))
        return [{"type": "context", "elements": [plain(small)]}] if small else []

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
