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
from bot.domain.texts import one_line
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import date, flat, marked, more, seconds
from bot.platforms.slack.buttons import label, usable
from bot.platforms.slack.texts import address, clean, cut, inert, size

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


def _length(block: Block) -> int:  # noqa: C901 - one flat match
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
        case Graph(marks=marks):
            return len(marks) + 1
        case Paragraph() | Aside():
            return 1
        case _:
            assert_never(block)


def _block(block: Block, words: Words) -> Iterator[str]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(text) | Aside(text):
            yield _line(words, text)
        case Facts(pairs):
            yield from (_line(words, label, ": ", value) for label, value in pairs)
        case Lines(items):
            yield from (f"• {_line(words, item)}" for item in items)
        case Collapsed(title, items):
            yield _line(words, title)
            yield from (f"• {_line(words, item)}" for item in items)
        case Graph(title, marks=marks):
            yield _line(words, title, ": ", trend(block))
            yield from (f"• {_line(words, marked(at, what))}" for at, what in marks)
        case Preformatted(text):
            yield from (_inert(line, _LINE) for line in clean(text).split("\n"))
        case Progress(steps):
            for mark, title, said in steps:
                yield f"{MARKS[mark]} " + (_line(words, title, " – ", said) if said else _line(words, title))
        case Table(header, rows):
            yield from (_row(header, row, words) for row in rows)
        case _:
            assert_never(block)


def _row(header: Sequence[Phrase], row: Sequence[Phrase], words: Words) -> str:
    parts: list[Phrase | str] = []
    for name, cell in zip(header, row, strict=True):
        parts += [*(["; "] if parts else []), name, ": ", cell]
    return _line(words, *parts)


def _button(button: Button, words: Words) -> str:
    name = label(button, words)
    if button.command:
        return _inert(f"{name} → /pult {button.command}", limits.TEXT)
    return f"<{address(button.url)}|{_inert(name, limits.TEXT).replace('|', '¦')}>"


def _line(words: Words, *parts: Phrase | str) -> str:
    """Sentences and our own signs between them on one line, in mrkdwn.

    Neighbouring texts are made inert together: an emoji code or an address may be put together by two of them.
    """
    left, run, said = _LINE * sum(isinstance(part, Phrase) for part in parts), "", []
    for piece in _pieces(parts, words):
        token = _token(piece, left)
        if not token:
            run += clean(piece.text)
            continue
        text = _inert(run, left)
        said += [text, token]
        left, run = left - len(text) - len(token), ""
    return one_line("".join([*said, _inert(run, left)]))


def _pieces(parts: Iterable[Phrase | str], words: Words) -> Iterator[Piece]:
    for part in parts:
        if isinstance(part, str):
            yield Piece("text", part)
        else:
            yield from pieces(part, words)


def _token(piece: Piece, left: int) -> str:
    """Slack's own sequence for a moment or a link; empty for what is plain text."""
    text, at = clean(piece.text), seconds(piece)
    if at is not None:
        return date(at, text)
    url = address(piece.url) if piece.kind == "link" else ""
    if url and text.strip() and len(url) < _LINE:
        return f"<{url}|{_inert(text, left).replace('|', '¦')}>"
    return ""


def _inert(text: str, most: int) -> str:
    """*text* made inert, within *most* characters; the invisible blanks count."""
    room = most - sum(map(text.count, "@:>"))
    return inert(text if size(text) <= room else cut(text, max(room, 0)))
