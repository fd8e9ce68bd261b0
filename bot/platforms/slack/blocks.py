"""Block Kit parts made of language-neutral sentences. Outside text goes into elements that Slack never parses.

``rich_text`` and ``plain_text`` are literal; ``mrkdwn`` is used only where the text has nothing in it to parse.
Shapes: docs.slack.dev/reference/block-kit/blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from bot.domain.phrases import Phrase, Piece, Words, counted, phrase, pieces
from bot.domain.texts import one_line
from bot.platforms.slack import limits
from bot.platforms.slack.texts import MORE, address, clean, cut, escape, size, tame

Json: TypeAlias = dict[str, Any]
DATE = "{date_short_pretty} {time}"
_DATE_COST = 40
"""Characters that a moment takes at most once Slack has put it into the reader's words."""


class Room:
    """Characters that a card, or a part of it, has left. ``left_out``: something did not fit."""

    def __init__(self, left: int, around: Room | None = None) -> None:
        self._left, self._around = left, around
        self.left_out = False

    @property
    def left(self) -> int:
        return max(0, self._left if self._around is None else min(self._left, self._around.left))

    def within(self, most: int) -> Room:
        """Room for a part that may take *most* of this one."""
        return Room(most, self)

    def spend(self, characters: int) -> None:
        self._left -= characters
        if self._around is not None:
            self._around.spend(characters)

    def miss(self) -> None:
        """Remember that something was left out."""
        self.left_out = True
        if self._around is not None:
            self._around.miss()

    def take(self, text: str) -> str:
        """As much of *text* as fits."""
        fitting = cut(text, self.left)
        if fitting == MORE and text != MORE:
            fitting = ""
        if fitting != text:
            self.miss()
        self.spend(size(fitting))
        return fitting


class Runs:
    """Sentences as elements of one rich_text part."""

    def __init__(self, words: Words, room: Room) -> None:
        self._words, self._room = words, room
        self.elements: list[Json] = []

    def add(self, sentence: Phrase, *, bold: bool = False, flat: bool = False) -> Runs:
        """Append *sentence*; *flat*: on one line."""
        for piece in pieces(sentence, self._words):
            text = clean(piece.text)
            self._piece(piece, _flat(text) if flat else text, bold=bold)
        return self

    def say(self, text: str) -> Runs:
        """Append our own *text*."""
        self._append({"type": "text"}, text, {})
        return self

    def shows(self) -> bool:
        """Whether there is anything to see."""
        return any(element["type"] == "date" or element["text"].strip() for element in self.elements)

    def _piece(self, piece: Piece, text: str, *, bold: bool) -> None:
        style = {"bold": True} if bold or piece.kind == "strong" else {}
        at = seconds(piece)
        url = address(piece.url) if piece.kind == "link" else ""
        if at is not None and self._room.left >= _DATE_COST:
            self._room.spend(_DATE_COST)
            self.elements.append(_styled({"type": "date", "timestamp": at, "format": DATE, "fallback": text}, style))
        elif url:
            self._append({"type": "link", "url": url}, text if text.strip() else url, style)
        else:
            self._append({"type": "text"}, text, style | ({"code": True} if piece.kind == "code" else {}))

    def _append(self, element: Json, text: str, style: Json) -> None:
        fitting = self._room.take(text)
        if not fitting:
            return
        drawn = _styled({**element, "text": fitting}, style)
        last = self.elements[-1] if self.elements else {}
        if element["type"] == "text" == last.get("type") and last.get("style") == drawn.get("style"):
            last["text"] += fitting
        else:
            self.elements.append(drawn)


def _styled(element: Json, style: Json) -> Json:
    return {**element, "style": style} if style else element


def _flat(text: str) -> str:
    """*text* on one line; blanks at its ends stay, they part it from its neighbours."""
    return text.replace("\n", " ")


def seconds(piece: Piece) -> int | None:
    """The moment a piece stands for, as Slack's date elements take it, or None."""
    if piece.at is None:
        return None
    at = int(piece.at.timestamp())
    return at if 0 <= at <= limits.TIMESTAMP else None


def flat(sentence: Phrase, words: Words) -> str:
    """*sentence* on one line, without any look; a link without its address."""
    return one_line(clean("".join(piece.text for piece in pieces(sentence, words))))


def markdown(sentence: Phrase, words: Words) -> str | None:
    """*sentence* in mrkdwn, on one line; None when Slack would make something else of what it says."""
    said = [(piece, _flat(clean(piece.text))) for piece in pieces(sentence, words)]
    # All of it at once: an emoji code may be put together by neighbours. A moment is not parsed, it is a sequence.
    if not tame("".join(text if seconds(piece) is None else " " for piece, text in said)):
        return None
    return "".join(_mrkdwn(piece, text) for piece, text in said).strip()


def _mrkdwn(piece: Piece, text: str) -> str:
    inner, at = escape(text), seconds(piece)
    url = address(piece.url) if piece.kind == "link" else ""
    if at is not None:
        return date(at, text)
    if not text.strip():
        return text
    if url:
        return f"<{url}|{inner.replace('|', '¦')}>"
    return {"strong": f"*{inner}*", "code": f"`{inner}`"}.get(piece.kind, inner)


def date(at: int, fallback: str) -> str:
    """Slack's own sequence for a moment, drawn in the reader's zone. Source: docs.slack.dev, formatting."""
    return f"<!date^{at}^{DATE}|{escape(fallback).replace('|', '¦')}>"


def plain(text: str) -> Json:
    """Literal text; colons in it are no emoji."""
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> Json:
    """Text in mrkdwn, of which Slack makes no links by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(runs: Runs) -> Json:
    return {"type": "rich_text_section", "elements": runs.elements}


def rich(parts: Sequence[Json]) -> list[Json]:
    """One rich_text block of *parts*, or no block."""
    return [{"type": "rich_text", "elements": list(parts)}] if parts else []


def bullets(items: Iterable[Runs]) -> list[Json]:
    """A list as a part of a rich_text block, or no part."""
    sections = [section(runs) for runs in items if runs.shows()]
    return [{"type": "rich_text_list", "style": "bullet", "elements": sections}] if sections else []


def fixed(text: str) -> Json:
    """Text in a fixed-width face, as a part of a rich_text block."""
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}


def more(count: int) -> Phrase:
    """What stands in place of *count* lines."""
    return counted("… and {n} more", "… and {n} more", count)


def marked(at: datetime, what: Phrase) -> Phrase:
    """What happened when, on a graph."""
    return phrase("{at}: {what}", at=at, what=what)


def stacked(lines: Iterable[Runs]) -> list[Json]:
    """Lines without bullets as a part of a rich_text block, or no part."""
    elements: list[Json] = []
    for runs in lines:
        elements += [*([{"type": "text", "text": "\n"}] if elements else []), *runs.elements]
    return [{"type": "rich_text_section", "elements": elements}] if elements else []
