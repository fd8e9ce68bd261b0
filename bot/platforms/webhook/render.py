"""From a neutral message to the event that a paging provider gets. Pure.

``{"id", "revision", "subject", "title", "text", "tone", "status", "url", "at"}``

``id`` is the same for every revision of one card, so that a provider opens one incident and updates it. ``status``:
``triggered`` (somebody has to take it), ``acknowledged``, ``resolved``, ``info`` (wake nobody).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from bot.domain.cards import Card
from bot.domain.graphs import worded
from bot.domain.messages import (
    Aside,
    Block,
    Collapsed,
    Demand,
    Facts,
    Graph,
    Lines,
    Message,
    Paragraph,
    Preformatted,
    Progress,
    Table,
)
from bot.domain.phrases import Phrase, Words, counted, pieces
from bot.domain.redact import redact
from bot.domain.texts import clean, clipped, one_line
from bot.platforms.webhook import limits

STATUSES = {
    Demand.TAKE: "triggered",
    Demand.HELD: "acknowledged",
    Demand.OVER: "resolved",
    Demand.NOTHING: "info",
}


def render(card: Card, message: Message, words: Words, url: str) -> dict[str, Any]:
    """The event that says *message*. *url*: where people read on."""
    return {
        "id": card.key,
        "revision": card.wanted,
        "subject": card.subject,
        "title": clipped(_said(message.title, words), limits.TITLE),
        "text": _whole_lines(line for block in message.blocks for line in _block(block, words)),
        "tone": message.tone.value,
        "status": STATUSES[message.demand],
        "url": url,
        "at": card.changed_at.isoformat(),
    }


def _block(block: Block, words: Words) -> Iterable[str]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(text) | Aside(text):
            return [_said(text, words)]
        case Facts(pairs):
            return [f"{_said(label, words)}: {_said(value, words)}" for label, value in pairs]
        case Lines(items, more):
            return _lines(items, more, words)
        case Collapsed(title, items):
            return [_said(title, words), *_lines(items, 0, words)]
        case Graph():
            return _block(worded(block), words)
        case Preformatted(text):
            return clean(text).splitlines()
        case Progress(steps):
            told = ((mark.value, title, said) for mark, title, said in steps)
            return [_step(mark, title, said, words) for mark, title, said in told]
        case Table(header, rows):
            return [" | ".join(_said(cell, words) for cell in row) for row in (header, *rows)]
        case _:
            assert_never(block)


def _lines(items: Iterable[Phrase], more: int, words: Words) -> Iterator[str]:
    for item in items:
        yield f"- {_said(item, words)}"
    if more:
        yield _said(counted("… and {n} more", "… and {n} more", more), words)


def _step(mark: str, title: Phrase, said: Phrase | None, words: Words) -> str:
    return f"{mark}: {_said(title, words)}" + (f" ({_said(said, words)})" if said else "")


def _said(sentence: Phrase, words: Words) -> str:
    """On one line; a link goes along with its address."""
    texts = []
    for piece in pieces(sentence, words):
        text, url = clean(piece.text), clean(piece.url)
        texts.append(f"{text} ({url})" if url and url != text else text)
    return one_line("".join(texts))


def _whole_lines(lines: Iterable[str]) -> str:
    """As many whole lines as there is room for, and a sign where some were left out."""
    text = redact("\n".join(lines))  # again: a secret may stand in two runs, or over several lines
    if len(text) <= limits.TEXT:
        return text
    kept = text[: limits.TEXT - 2].rpartition("\n")[0] or text[: limits.TEXT - 2]
    return f"{kept}\n…"
