"""From a neutral message to sections of lines of spans: what stands where, before it is cut and marked up. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, assert_never

from bot.domain.graphs import worded
from bot.domain.messages import (
    Aside,
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
Cells = tuple[Phrase, ...]


@dataclass(frozen=True)
class Section:
    """Lines that belong together. ``wrap``: pre, blockquote or none. ``more``: lines that are left out after these."""

    lines: tuple[Line, ...]
    wrap: str = ""
    more: int = 0

    @cached_property
    def size(self) -> int:
        """UTF-16 units, with the note on what is left out."""
        lines = sum(line_size(line) + 1 for line in self.lines) - 1
        return lines + (limits.NOTE if self.more else 0)


def line_size(line: Line) -> int:
    """UTF-16 units of *line*."""
    return sum(units(span.text) for span in line)


def title(message: Message, words: Words) -> Section:
    """Severity at a glance, and what it is about."""
    text = clip(words_of(message.title, words), limits.TITLE)
    return Section((_disarmed((Span(f"{TONES[message.tone]} "), Span(text, "b"))),))


def body(message: Message, words: Words) -> Iterator[Section]:
    """Everything below the title that says something. What no message can hold is counted, not drawn."""
    for block in message.blocks:
        match block:
            case Preformatted(text):
                section = fixed(text)
            case Table(header, rows):
                section = _table(header, rows, words)
            case Graph():
                section = _text(worded(block), words)
            case _:
                section = _text(block, words)
        if any(span.text.strip() for line in section.lines for span in line) or section.more:
            yield section


def question(button: Button, words: Words) -> Section:
    """What a person must read before a dangerous press counts: it stands right above the keyboard."""
    assert button.confirm is not None
    said = f"{words_of(button.confirm.title, words)} {words_of(button.confirm.text, words)}"
    return Section((_disarmed((Span(said.strip(), "i"),)),))


def address(label: str, url: str) -> Section:
    """An address that Telegram takes for no link, to be copied."""
    return Section((_disarmed((Span(f"{label}: "), Span(clip(clean(url), limits.URL), "code"))),))


def fixed(text: str) -> Section:
    """Outside text line by line, as it stands."""
    lines = clean(text).strip("\n").split("\n")
    more = text[limits.TEXT * 2 :].strip().count("\n")
    return Section(tuple((Span(line.rstrip()),) for line in lines), "pre", more)


def _table(header: Cells, rows: Sequence[Cells], words: Words) -> Section:
    """A grid; two columns that are broader than a phone are a list, which wraps where a grid would break."""
    said: list[list[str]] = []
    room = limits.TEXT
    for row in rows:
        said.append([clip(words_of(cell, words), limits.CELL) for cell in row])
        room -= sum(map(units, said[-1]))
        if room < 0:
            break
    more = len(rows) - len(said)
    if len(header) == 2 and any(units(one) + units(two) + 2 > limits.PHONE_COLUMNS for one, two in said):
        return _section((_fact(row[0], row[1], words) for row in rows), len(rows))
    named = [words_of(cell, words) for cell in header]
    return Section(tuple((Span(line),) for line in grid([named, *said], limits.COLUMNS)), "pre", more)


def _section(lines: Iterable[Line], count: int, wrap: str = "", more: int = 0) -> Section:
    """As many of *count* *lines* as a message could hold; the others are left undrawn."""
    drawn: list[Line] = []
    room = limits.TEXT
    for line in lines:
        drawn.append(_disarmed(line))
        room -= line_size(drawn[-1]) + 1
        if room < 0:
            break
    return Section(tuple(drawn), wrap, more + max(0, count - len(drawn)))


def _text(block: Paragraph | Aside | Facts | Lines | Progress | Collapsed, words: Words) -> Section:
    match block:
        case Paragraph(text):
            return _section(broken(spans_of(text, words)), 0)
        case Aside(text):
            return _section([_aside(text, words)], 1)
        case Facts(pairs):
            return _section((_fact(name, value, words) for name, value in pairs), len(pairs))
        case Lines(items, more):
            return _section(((Span("• "), *flat(item, words)) for item in items), len(items), more=more)
        case Progress(steps):
            return _section((_step(*step, words) for step in steps), len(steps))
        case Collapsed(heading, items):
            title = (Span(words_of(heading, words), "b"),)
            lines = (tuple(flat(item, words)) for item in items)
            return _section(itertools.chain((title,), lines), len(items) + 1, "blockquote")
        case _:
            assert_never(block)


def _fact(label: Phrase, value: Phrase, words: Words) -> Line:
    said = tuple(flat(value, words))
    return (Span(f"{words_of(label, words)}:", "b"), Span(" "), *(said or (Span("–"),)))


def _step(mark: StepMark, what: Phrase, said: Phrase | None, words: Words) -> Line:
    came_of_it = (Span(" — "), *flat(said, words)) if said else ()
    return (Span(f"{MARKS[mark]} "), *flat(what, words), *came_of_it)


def _aside(text: Phrase, words: Words) -> Line:
    """Small print. Code can't be slanted (API: it can't be part of other entities), so with code nothing is."""
    spans = tuple(flat(text, words))
    if any(span.tag == "code" for span in spans):
        return spans
    return tuple(span if span.tag else Span(span.text, "i") for span in spans)


def words_of(sentence: Phrase, words: Words) -> str:
    """*sentence* without any look, on one line."""
    return one_line("".join(clean(piece.text) for piece in pieces(sentence, words))).strip()


def flat(sentence: Phrase, words: Words) -> Iterator[Span]:
    """On one line."""
    for span in spans_of(sentence, words):
        yield Span(one_line(span.text), span.tag, span.value)


def broken(spans: Iterable[Span]) -> Iterator[Line]:
    """Line by line, at the line breaks in *spans*."""
    line: list[Span] = []
    for span in spans:
        first, *rest = span.text.split("\n")
        line.append(Span(first, span.tag, span.value))
        for text in rest:
            yield tuple(line)
            line = [Span(text, span.tag, span.value)]
    yield tuple(line)


def spans_of(sentence: Phrase, words: Words) -> Iterator[Span]:
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


def bare(line: Line) -> Line:
    """*line* without any look, its code disarmed too."""
    return _disarmed(tuple(Span(span.text) for span in line))
