"""From a neutral message to text for a terminal: ``pult ask`` and the ``text`` of ``POST /api/ask``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from bot.domain.markdown import MARKS
from bot.domain.messages import (
    Aside,
    Block,
    Button,
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
    Tone,
)
from bot.domain.phrases import Phrase, Words, counted, pieces
from bot.domain.texts import clean, clipped, columns, one_line, padded
from bot.platforms.console import curves, limits

TONES = {
    Tone.CRITICAL: "✖",
    Tone.WARNING: "▲",
    Tone.INFO: "•",
    Tone.OK: "✔",
    Tone.MUTED: "○",
    Tone.WORKING: "◐",
}
"""One column each in every common terminal font; emoji are not."""


def plain(message: Message, words: Words) -> str:
    """*message* in the reader's language, a blank line between its parts; tables and labels aligned."""
    title = f"{TONES[message.tone]} {one_line(_said(message.title, words))}"
    parts = [title, *("\n".join(_block(block, words)) for block in message.blocks)]
    if message.buttons:
        parts.append("\n".join(f"→ {_button(button, words)}" for button in message.buttons))
    if message.whole and any(isinstance(block, Lines) and block.more for block in message.blocks):
        parts.append(clean(message.whole))
    return _bounded("\n\n".join(part for part in parts if part.strip()))


def _said(sentence: Phrase, words: Words) -> str:
    """A link goes along with its address, unless the text is the address."""
    texts = []
    for piece in pieces(sentence, words):
        text = clean(piece.text)
        url = clean(piece.url)
        texts.append(f"{text} ({url})" if url and url != text else text)
    return "".join(texts)


def _block(block: Block, words: Words) -> Iterable[str]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(text) | Aside(text):
            return [_said(text, words)]
        case Facts(pairs):
            return _facts(pairs, words)
        case Lines(items, more):
            return _lines(items, more, words)
        case Graph():
            return curves.lines(block, lambda sentence, most: _cell(sentence, words, most), words)
        case Preformatted(text):
            return [f"  {line}" for line in clean(text).splitlines()]
        case Progress(steps):
            return _steps(steps, words)
        case Collapsed(title, items):
            return [_said(title, words), *(f"  {line}" for line in _lines(items, 0, words))]
        case Table(header, rows):
            return _table([_row(row, words) for row in (header, *rows)])
        case _:
            assert_never(block)


def _facts(pairs: Sequence[tuple[Phrase, Phrase]], words: Words) -> Iterator[str]:
    told = [(_cell(label, words), one_line(_said(value, words))) for label, value in pairs]
    broad = max((columns(label) for label, _ in told), default=0)
    for label, value in told:
        yield f"{padded(label, broad)}  {value}".rstrip()


def _lines(items: Iterable[Phrase], more: int, words: Words) -> Iterator[str]:
    for item in items:
        yield f"- {one_line(_said(item, words))}"
    if more:
        yield f"  {_said(counted('… and {n} more', '… and {n} more', more), words)}"


def _steps(steps: Iterable[tuple[StepMark, Phrase, Phrase | None]], words: Words) -> Iterator[str]:
    for mark, title, said in steps:
        came_of_it = f": {one_line(_said(said, words))}" if said else ""
        yield f"{MARKS[mark]} {one_line(_said(title, words))}{came_of_it}"


def _cell(sentence: Phrase, words: Words, most: int = limits.CELL) -> str:
    return clipped(one_line(_said(sentence, words)), most)


def _row(cells: Sequence[Phrase], words: Words) -> list[str]:
    """The last cell may run on: nothing stands right of it, and it is where reasons stand."""
    last = len(cells) - 1
    return [_cell(cell, words, limits.LAST_CELL if at == last else limits.CELL) for at, cell in enumerate(cells)]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The header underlined; columns as broad as their broadest cell."""
    breadths = [max(columns(row[at]) for row in rows if at < len(row)) for at in range(max(map(len, rows)))]
    for number, row in enumerate(rows):
        yield "  ".join(padded(cell, breadths[at]) for at, cell in enumerate(row)).rstrip()
        if number == 0:
            yield "  ".join("─" * min(breadth, limits.CELL) for breadth in breadths)


def _button(button: Button, words: Words) -> str:
    return f"{one_line(_said(button.label, words))}: {clean(button.command or button.url)}"


def _bounded(text: str) -> str:
    if len(text) <= limits.PLAIN:
        return text
    return text[: limits.PLAIN - 2].rpartition("\n")[0] + "\n…"
