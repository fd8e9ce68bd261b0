"""From a neutral message to sections of lines of spans: what stands where, before it is cut and marked up. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, assert_never

from bot.domain.messages import (
    Aside,
    Block,
    Button,
    Collapsed,
    Facts,
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
from bot.platforms.telegram import limits
from bot.platforms.telegram.grid import grid
from bot.platforms.telegram.text import JOINER, active, clean, clip, one_line, units

TONES: Final = {
    Tone.CRITICAL: "🔴",
    Tone.WARNING: "🟡",
    Tone.INFO: "🔵",
    Tone.OK: "🟢",
    Tone.MUTED: "⚪",
    Tone.WORKING: "⏳",
}
MARKS: Final = {
    StepMark.DONE: "✅",
    StepMark.RUNNING: "🔄",
    StepMark.PENDING: "⬜",
    StepMark.FAILED: "❌",
    StepMark.SKIPPED: "⏭",
}
MOMENT: Final = "dT"
"""Short date and time with seconds, in the zone and language of each reader's own app."""


@dataclass(frozen=True)
class Span:
    """A run of one look. ``tag``: b, i, code, a (``value``: address), tg-time (``value``: Unix seconds) or none."""

    text: str
    tag: str = ""
    value: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Section:
    """Lines that belong together. ``wrap``: pre, blockquote or none. ``more``: lines that are left out after these."""

    lines: tuple[Line, ...]
    wrap: str = ""
    more: int = 0

    @property
    def size(self) -> int:
        """UTF-16 units, with the note on what is left out."""
        lines = sum(line_size(line) + 1 for line in self.lines) - 1
        return lines + (limits.NOTE if self.more else 0)


def line_size(line: Line) -> int:
    """UTF-16 units of *line*."""
    return sum(units(span.text) for span in line)


def title(message: Message, words: Words) -> Section:
    """Severity at a glance, and what it is about."""
    text = clip(_said(message.title, words), limits.TITLE)
    return Section((_disarmed((Span(f"{TONES[message.tone]} "), Span(text, "b"))),))


def body(message: Message, words: Words) -> Iterator[Section]:
    """Everything below the title that says something."""
    for block in message.blocks:
        section = _grid(block, words) or _text(block, words)
        if any(span.text.strip() for line in section.lines for span in line) or section.more:
            yield section


def question(button: Button, words: Words) -> Section:
    """What a person must read before a dangerous press counts: it stands right above the keyboard."""
    assert button.confirm is not None
    said = f"{_said(button.confirm.title, words)} {_said(button.confirm.text, words)}"
    return Section((_disarmed((Span(said.strip(), "i"),)),))


def address(label: str, url: str) -> Section:
    """An address that Telegram takes for no link, to be copied."""
    return Section((_disarmed((Span(f"{label}: "), Span(clip(clean(url), limits.URL), "code"))),))


def _text(block: Block, words: Words) -> Section:
    lines = tuple(map(_disarmed, _lines(block, words)))
    wrap = "blockquote" if isinstance(block, Collapsed) else ""
    return Section(lines, wrap, block.more if isinstance(block, Lines) else 0)


def _grid(block: Block, words: Words) -> Section | None:
    """What is drawn in a fixed-width face: outside text, and tables but those of two columns too wide for a phone."""
    if isinstance(block, Preformatted):
        return Section(tuple((Span(line.rstrip()),) for line in clean(block.text).strip("\n").split("\n")), "pre")
    if isinstance(block, Table) and not _listed(block, words):
        rows = [[_said(cell, words) for cell in row] for row in (block.header, *block.rows)]
        return Section(tuple((Span(line),) for line in grid(rows, limits.COLUMNS)), "pre")
    return None


def _listed(table: Table, words: Words) -> bool:
    """A list wraps well where a grid would break."""
    if len(table.header) != 2:
        return False
    return any(sum(units(_said(cell, words)) for cell in row) + 2 > limits.PHONE_COLUMNS for row in table.rows)


def _lines(block: Block, words: Words) -> Iterable[Line]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(text):
            return _broken(_spans(text, words))
        case Aside(text):
            return [_aside(text, words)]
        case Facts(pairs):
            return [_fact(name, value, words) for name, value in pairs]
        case Table(_, rows):
            return [_fact(row[0], row[1], words) for row in rows]
        case Lines(items, _):
            return [(Span("• "), *_flat(item, words)) for item in items]
        case Progress(steps):
            return [_step(mark, what, said, words) for mark, what, said in steps]
        case Collapsed(heading, items):
            return [(Span(_said(heading, words), "b"),), *(tuple(_flat(item, words)) for item in items)]
        case Preformatted(text):
            return [(Span(text),)]
        case _:
            assert_never(block)


def _fact(label: Phrase, value: Phrase, words: Words) -> Line:
    said = tuple(_flat(value, words))
    return (Span(f"{_said(label, words)}:", "b"), Span(" "), *(said or (Span("–"),)))


def _step(mark: StepMark, what: Phrase, said: Phrase | None, words: Words) -> Line:
    came_of_it = (Span(" — "), *_flat(said, words)) if said else ()
    return (Span(f"{MARKS[mark]} "), *_flat(what, words), *came_of_it)


def _aside(text: Phrase, words: Words) -> Line:
    """Small print. Code can't be slanted (API: it can't be part of other entities), so with code nothing is."""
    spans = tuple(_flat(text, words))
    if any(span.tag == "code" for span in spans):
        return spans
    return tuple(span if span.tag else Span(span.text, "i") for span in spans)


def _said(sentence: Phrase, words: Words) -> str:
    """Without any look, on one line."""
    return one_line("".join(clean(piece.text) for piece in pieces(sentence, words))).strip()


def _flat(sentence: Phrase, words: Words) -> Iterator[Span]:
    """On one line."""
    for span in _spans(sentence, words):
        yield Span(one_line(span.text), span.tag, span.value)


def _broken(spans: Iterable[Span]) -> Iterator[Line]:
    """Line by line, at the line breaks in *spans*."""
    line: list[Span] = []
    for span in spans:
        first, *rest = span.text.split("\n")
        line.append(Span(first, span.tag, span.value))
        for text in rest:
            yield tuple(line)
            line = [Span(text, span.tag, span.value)]
    yield tuple(line)


def _spans(sentence: Phrase, words: Words) -> Iterator[Span]:
    """Runs in the reader's language. Empty ones are left out."""
    for piece in pieces(sentence, words):
        span = _span(piece)
        if span.text:
            yield span


def _span(piece: Piece) -> Span:
    text = clean(piece.text)
    match piece.kind:
        case "code":
            return Span(text, "code")
        case "strong":
            return Span(text, "b")
        case "link" if clean(piece.url) == piece.url and len(piece.url.encode()) <= limits.URL:
            return Span(text, "a", piece.url)
        case "moment" if piece.at is not None and piece.at.timestamp() >= 0:
            return Span(text, "tg-time", str(int(piece.at.timestamp())))
        case _:
            return Span(text)


def _disarmed(line: Line) -> Line:
    """*line* with joiners where Telegram would find something by itself, also across two spans; code stays as it is."""
    joined = "".join(" " * len(span.text) if span.tag == "code" else span.text for span in line)
    places, begin, done = active(joined), 0, []
    for span in line:
        end = begin + len(span.text)
        cuts = [begin, *(at for at in places if begin <= at < end and at > 0), end]
        runs = [joined[low:high] for low, high in itertools.pairwise(cuts)]
        done.append(span if span.tag == "code" else replace(span, text=JOINER.join(runs)))
        begin = end
    return tuple(done)
