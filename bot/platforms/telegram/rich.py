"""From a neutral message to a rich one (Bot API 10.1): headings, tables, folds, a picture. Pure.

Nothing is cut here: what goes beyond the limits has no rich form and is sent as a classic message. Text needs no
joiners: rich messages are sent with ``skip_entity_detection``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import assert_never

from bot.domain.graphs import figures, worded
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
from bot.domain.phrases import Phrase, Words, counted
from bot.platforms.telegram import layout, limits
from bot.platforms.telegram.layout import MARKS, TONES, Section, Span
from bot.platforms.telegram.markup import run
from bot.platforms.telegram.render import closing
from bot.platforms.telegram.text import clip, escape, units

PICTURE = "graph"
"""The id under which the HTML names the picture that goes along."""
_OPENED = re.compile(r"<(?:h3|p|ul|ol|li|table|tr|pre|footer|details|img)\b")
_TAG = re.compile(r"<[^>]*>")
_BOXES = {
    StepMark.DONE: '<input type="checkbox" checked>',
    StepMark.PENDING: '<input type="checkbox">',
}


@dataclass(frozen=True)
class Sheet:
    """``shortened``: something isn't shown that ``Message.whole`` may have."""

    html: str
    shortened: bool


def rich(message: Message, words: Words, *, picture: bool) -> Sheet | None:
    """*message* as a rich one; None beyond the limits. *picture*: the first graph is shown, not only in words."""
    title = clip(layout.words_of(message.title, words), limits.TITLE)
    parts = [f"<h3>{TONES[message.tone]} {escape(title)}</h3>"]
    shortened = False
    for block in message.blocks:
        if isinstance(block, Graph) and picture:
            parts += [f'<img src="tg://photo?id={PICTURE}">', *_drawn(figures(block), words)]
            picture = False
        else:
            parts += _drawn(block, words)
        shortened = shortened or _left_out(block)
    parts += (_text_of(section) for section in closing(message, words))
    html = "\n".join(parts)
    return Sheet(html, shortened) if _fits(html, message) else None


def _left_out(block: Block) -> bool:
    match block:
        case Lines():
            return block.more > 0
        case Preformatted(text):
            return layout.fixed(text).more > 0
        case _:
            return False


def _fits(html: str, message: Message) -> bool:
    broad = any(len(block.header) > limits.RICH_COLUMNS for block in message.blocks if isinstance(block, Table))
    return (
        not broad
        and len(html.encode()) <= limits.RICH_BYTES
        and len(_OPENED.findall(html)) <= limits.RICH_BLOCKS
        and units(unescape(_TAG.sub("", html))) <= limits.RICH_TEXT
    )


def _drawn(block: Block, words: Words) -> Iterator[str]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(text):
            yield from _paragraphs(text, words)
        case Aside(text):
            if said := _inline(text, words):
                yield f"<footer>{said}</footer>"
        case Facts(pairs):
            if pairs:
                yield _table((), ((_strong(name, words), _inline(value, words)) for name, value in pairs))
        case Lines(items, more):
            yield from _list("ul", (_inline(item, words) for item in items[: limits.RICH_LINES]))
            yield from _rest(items[limits.RICH_LINES :], words)
            yield from _more(more, words)
        case Progress(steps):
            yield from _list("ol", (_step(*step, words) for step in steps))
        case Collapsed(title, items):
            yield _folded(_inline(title, words) or "…", items, words)
        case Table(header, rows):
            yield _table([_inline(cell, words) for cell in header], ([_inline(c, words) for c in row] for row in rows))
        case Preformatted(text):
            yield from _fixed(layout.fixed(text), words)
        case Graph():
            yield from _drawn(worded(block), words)
        case _:
            assert_never(block)


def _paragraphs(text: Phrase, words: Words) -> Iterator[str]:
    for line in layout.broken(layout.spans_of(text, words)):
        if said := _runs(line):
            yield f"<p>{said}</p>"


def _text_of(section: Section) -> str:
    return "".join(f"<p>{_runs(line)}</p>" for line in section.lines)


def _fixed(section: Section, words: Words) -> Iterator[str]:
    text = "\n".join("".join(escape(span.text) for span in line) for line in section.lines)
    if text.strip():
        yield f"<pre>{text}</pre>"
    yield from _more(section.more, words)


def _rest(items: Sequence[Phrase], words: Words) -> Iterator[str]:
    if items:
        n = len(items)
        yield _folded(_inline(counted("… and {n} more", "… and {n} more", n), words), items, words)


def _folded(summary: str, items: Sequence[Phrase], words: Words) -> str:
    lines = "".join(_list("ul", (_inline(item, words) for item in items)))
    return f"<details><summary>{summary}</summary>{lines}</details>"


def _more(count: int, words: Words) -> Iterator[str]:
    if count:
        yield f"<p>{_inline(counted('… and {n} more', '… and {n} more', count), words)}</p>"


def _list(tag: str, items: Iterable[str]) -> Iterator[str]:
    listed = "".join(f"<li>{item or '–'}</li>" for item in items)
    if listed:
        yield f"<{tag}>{listed}</{tag}>"


def _step(mark: StepMark, what: Phrase, said: Phrase | None, words: Words) -> str:
    came_of_it = f" — {_inline(said, words)}" if said else ""
    return f"{_BOXES.get(mark) or f'{MARKS[mark]} '}{_inline(what, words) or '–'}{came_of_it}"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """No cell is empty: Telegram refuses those."""
    named = _row("th", header)
    drawn = "".join(_row("td", row) for row in rows)
    return f"<table{' bordered striped' if named else ''} compact>{named}{drawn}</table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    drawn = "".join(f"<{tag}>{cell or '–'}</{tag}>" for cell in cells)
    return f"<tr>{drawn}</tr>" if drawn else ""


def _strong(sentence: Phrase, words: Words) -> str:
    return run(Span(layout.words_of(sentence, words), "b"))


def _inline(sentence: Phrase, words: Words) -> str:
    return _runs(layout.flat(sentence, words))


def _runs(spans: Iterable[Span]) -> str:
    """Empty when there is nothing to see."""
    drawn = "".join(map(run, spans))
    return drawn if _TAG.sub("", drawn).strip() else ""
