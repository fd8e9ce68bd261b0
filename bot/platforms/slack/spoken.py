"""The ``text`` of a message: all it says in words, for notifications, screen readers and clients that draw no blocks.

It goes through mrkdwn, so outside text is made inert in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import assert_never

from bot.domain.graphs import trend
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
from bot.domain.phrases import Phrase, Piece, Words, pieces
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import date, flat, more, seconds
from bot.platforms.slack.buttons import label, usable
from bot.platforms.slack.texts import address, clean, cut, inert, one_line, size

SIGNS = {
    Tone.CRITICAL: "🔴",
    Tone.WARNING: "⚠️",
    Tone.INFO: "🔵",
    Tone.OK: "✅",
    Tone.MUTED: "⚪",
    Tone.WORKING: "⏳",
}
"""They differ in shape as well as in colour; the words never depend on them."""
MARKS = {
    StepMark.PENDING: "⬜",
    StepMark.RUNNING: "🔄",
    StepMark.DONE: "✅",
    StepMark.FAILED: "❌",
    StepMark.SKIPPED: "⏭️",
}
_LINE = 600
"""Characters of one line of outside text."""
_COMMANDS = 1_000
"""Characters of what can be typed in place of the buttons."""
_NOTE = 60
"""Characters of the note on what is left out."""


def spoken(message: Message, words: Words) -> str:
    """At most ``limits.TEXT`` characters, whole lines; what is left out is counted."""
    title = f"{SIGNS[message.tone]} {_inert(flat(message.title, words), limits.HEADER)}".strip()
    typed = _commands(message.buttons, words)
    room = limits.TEXT - _units(title) - sum(map(_units, typed)) - _NOTE
    body: list[str] = []
    unsaid = 0
    for block in message.blocks:
        lines = _fitting(islice(_block(block, words), limits.LINES), room - _NOTE)
        left_out = _length(block) - len(lines)
        if left_out and room > _NOTE:
            lines.append(flat(more(left_out), words))
        elif left_out:
            unsaid += left_out
        room -= sum(map(_units, lines))
        body += filter(str.strip, lines)
    note = [flat(more(unsaid), words)] if unsaid else []
    return "\n".join([title, *body, *note, *typed])


def _commands(buttons: Sequence[Button], words: Words) -> list[str]:
    """What to type in place of pressing."""
    return _fitting((_button(button, words) for button in buttons if usable(button)), _COMMANDS)


def _fitting(lines: Iterable[str], most: int) -> list[str]:
    """The first of *lines* that fit into *most* characters."""
    kept = []
    for line in lines:
        most -= _units(line)
        if most < 0:
            break
        kept.append(line)
    return kept


def _units(line: str) -> int:
    """Characters of *line* with its line break, as they are sent."""
    return len(line.encode("utf-16-le")) // 2 + 1


def _length(block: Block) -> int:
    """How many lines *block* has, those included that its sender left out."""
    match block:
        case Facts(pairs):
            return len(pairs)
        case Lines(items, left_out):
            return len(items) + left_out
        case Collapsed(_, items):
            return len(items) + 1
        case Preformatted(text):
            return clean(text).count("\n") + 1
        case Progress(steps):
            return len(steps)
        case Table(_, rows):
            return len(rows)
        case Paragraph() | Aside() | Graph():
            return 1
        case _:
            assert_never(block)


def _block(block: Block, words: Words) -> Iterator[str]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(text) | Aside(text):
            yield _said(text, words)
        case Facts(pairs):
            yield from (f"{_said(label, words)}: {_said(value, words)}" for label, value in pairs)
        case Lines(items):
            yield from (f"• {_said(item, words)}" for item in items)
        case Collapsed(title, items):
            yield _said(title, words)
            yield from (f"• {_said(item, words)}" for item in items)
        case Graph(title):
            yield f"{_said(title, words)}: {_said(trend(block), words)}"
        case Preformatted(text):
            yield from (_inert(line, _LINE) for line in clean(text).split("\n"))
        case Progress(steps):
            for mark, title, said in steps:
                yield f"{MARKS[mark]} {_said(title, words)}" + (f" – {_said(said, words)}" if said else "")
        case Table(header, rows):
            for row in rows:
                yield "; ".join(
                    f"{_said(name, words)}: {_said(cell, words)}" for name, cell in zip(header, row, strict=True)
                )
        case _:
            assert_never(block)


def _button(button: Button, words: Words) -> str:
    name = _inert(label(button, words), limits.TEXT)
    if button.command:
        return f"{name} → /pult {_inert(button.command, limits.TEXT)}"
    return f"<{address(button.url)}|{name.replace('|', '¦')}>"


def _said(sentence: Phrase, words: Words) -> str:
    """*sentence* on one line, in mrkdwn."""
    left, parts = _LINE, []
    for piece in pieces(sentence, words):
        part = _piece(piece, left)
        left -= len(part)
        parts.append(part)
    return one_line("".join(parts))


def _piece(piece: Piece, left: int) -> str:
    text, at = clean(piece.text), seconds(piece)
    if at is not None:
        return date(at, text)
    url = address(piece.url) if piece.kind == "link" else ""
    if url and text.strip() and len(url) < _LINE:
        return f"<{url}|{_inert(text, left).replace('|', '¦')}>"
    return _inert(text, left)


def _inert(text: str, most: int) -> str:
    """*text* made inert, within *most* characters; the invisible blanks count."""
    room = most - sum(map(text.count, "@:>"))
    return inert(text if size(text) <= room else cut(text, max(room, 0)))
