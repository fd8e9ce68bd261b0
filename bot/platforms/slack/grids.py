"""Things side by side: facts in two columns, tables in fixed width."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.phrases import Phrase, Words
from bot.domain.texts import columns as breadth
from bot.domain.texts import padded
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
    breadths = [max(map(breadth, cells)) for cells in zip(*rows, strict=True)]
    if sum(breadths) + 2 * (len(breadths) - 1) > limits.TABLE_WIDTH:
        return None
    lines = ["  ".join(padded(cell, room) for cell, room in zip(row, breadths, strict=True)) for row in rows]
    rule = "  ".join("─" * room for room in breadths)
    return [line.rstrip() for line in (lines[0], rule, *lines[1:])]
