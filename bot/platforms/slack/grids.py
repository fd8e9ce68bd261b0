"""Things side by side: facts in two columns, tables in fixed width."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.domain.phrases import Phrase, Words
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import Json, Room, flat, markdown, mrkdwn
from bot.platforms.slack.texts import size


def columns(pairs: Sequence[tuple[Phrase, Phrase]], words: Words, room: Room) -> list[Json]:
    """Facts in two columns; no block when there is no room, or when one is too long or would not show as it is."""
    fields = [_field(label, value, words) for label, value in pairs]
    cost = sum(size(field) for field in fields)
    if not all(fields) or cost > room.left or len(fields) > limits.LINES:
        return []
    room.spend(cost)
    step = limits.SECTION_FIELDS
    return [
        {"type": "section", "fields": [mrkdwn(field) for field in fields[at : at + step]]}
        for at in range(0, len(fields), step)
    ]


def _field(label: Phrase, value: Phrase, words: Words) -> str:
    """Empty when it can't stand in a column."""
    name, said = markdown(label, words), markdown(value, words)
    if not name or not said or name != flat(label, words) or size(flat(value, words)) > limits.FIELD:
        return ""
    field = f"*{name}*\n{said}"
    return field if size(field) <= limits.SECTION_FIELD else ""


def grid(rows: Sequence[Sequence[str]]) -> list[str] | None:
    """*rows* (the header first) as lines of equal columns, the header underlined; None when they are too broad."""
    breadths = [max(map(_breadth, cells)) for cells in zip(*rows, strict=True)]
    if sum(breadths) + 2 * (len(breadths) - 1) > limits.TABLE_WIDTH:
        return None
    lines = ["  ".join(_padded(cell, breadth) for cell, breadth in zip(row, breadths, strict=True)) for row in rows]
    rule = "  ".join("─" * breadth for breadth in breadths)
    return [line.rstrip() for line in (lines[0], rule, *lines[1:])]


def _padded(text: str, breadth: int) -> str:
    return text + " " * (breadth - _breadth(text))


def _breadth(text: str) -> int:
    """Columns in a fixed-width face: East Asian wide characters and most emoji take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(mark) else 2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text
    )
