"""From a neutral message to a Markdown page in a reader's language: what people keep, mail, put into a wiki. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import assert_never

from bot.domain.graphs import trend
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
from bot.domain.phrases import Phrase, Piece, Strong, Words, phrase, pieces

MARKS = {
    StepMark.PENDING: "·",
    StepMark.RUNNING: "▶",
    StepMark.DONE: "✔",
    StepMark.FAILED: "✖",
    StepMark.SKIPPED: "–",
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
"""What CommonMark and its tables read as markup wherever it stands."""
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def markdown(message: Message, words: Words, picture: str = "") -> str:
    """*message* as a page; a paragraph that is one strong title is a heading.

    *picture*: address of the image of its first graph; without one the graph is in words.
    """
    parts = [f"# {_said(message.title, words)}"]
    for block in message.blocks:
        if isinstance(block, Graph) and picture:
            told = phrase("{title}: {trend}", title=block.title, trend=trend(block))
            parts.append(f"![{_said(told, words)}]({picture})")
            picture = ""
            continue
        parts.append("\n".join(_block(block, words)))
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _block(block: Block, words: Words) -> Iterable[str]:  # noqa: C901 - one flat match
    match block:
        case Paragraph(Phrase("{title}", {"title": Strong(title)})):
            return [f"## {_escaped(_flat(title, words))}"]
        case Paragraph(text):
            return [_said(text, words)]
        case Aside(text):
            return [f"*{_said(text, words)}*"]
        case Facts(pairs):
            return _table((Phrase(""), Phrase("")), pairs, words)
        case Lines(items, _):
            return [f"- {_said(item, words)}" for item in items]
        case Collapsed(title, items):
            return [f"**{_said(title, words)}**", "", *(f"- {_said(item, words)}" for item in items)]
        case Graph():
            return [f"{_said(block.title, words)}: {_said(trend(block), words)}"]
        case Preformatted(text):
            return ["```", *_UNSEEN.sub(" ", text).replace("```", "` ` `").splitlines(), "```"]
        case Progress(steps):
            return _steps(steps, words)
        case Table(header, rows):
            return _table(header, rows, words)
        case _:
            assert_never(block)


def _steps(steps: Iterable[tuple[StepMark, Phrase, Phrase | None]], words: Words) -> Iterator[str]:
    for mark, title, told in steps:
        yield f"- {MARKS[mark]} {_said(phrase('{title}: {said}', title=title, said=told) if told else title, words)}"


def _table(header: tuple[Phrase, ...], rows: Iterable[tuple[Phrase, ...]], words: Words) -> Iterator[str]:
    yield _row(header, words)
    yield "|" + "---|" * len(header)
    for row in rows:
        yield _row(row, words)


def _row(cells: Iterable[Phrase], words: Words) -> str:
    return "| " + " | ".join(_said(cell, words) for cell in cells) + " |"


def _said(sentence: Phrase, words: Words) -> str:
    return "".join(_piece(piece, words) for piece in pieces(sentence, words))


def _flat(text: str | Phrase, words: Words) -> str:
    return text if isinstance(text, str) else "".join(piece.text for piece in pieces(text, words))


def _piece(piece: Piece, words: Words) -> str:
    """Outside text never becomes markup; a line break within a cell would end it. A page is read on other days."""
    text = " ".join(_UNSEEN.sub(" ", piece.text).split("\n"))
    match piece.kind:
        case "moment" if piece.at is not None:
            return f"{words.local(piece.at):%Y-%m-%d %H:%M:%S %Z}"
        case "code":
            fence = "``" if "`" in text else "`"
            return f"{fence}{text.replace('|', chr(92) + '|')}{fence}" if text.strip() else ""
        case "strong":
            return f"**{_escaped(text)}**" if text.strip() else ""
        case "link":
            return f"[{_escaped(text)}](<{piece.url.replace('>', '%3E').replace('<', '%3C')}>)"
        case _:
            return _escaped(text)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
