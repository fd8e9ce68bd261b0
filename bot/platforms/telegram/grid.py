"""A table in fixed-width text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.domain.texts import columns

GAP = "  "
LEAST = 4
"""Columns below which no cell is cut."""
_NUMBER = re.compile(r"[-+−$]?\d[\d.,\s]*\s?(?:%|x|×|[a-zA-Zа-яА-Я]{1,4})?")


def grid(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The header underlined, numbers to the right, the broadest cells cut until a row takes at most *width* columns."""
    breadths = _breadths([[columns(cell) for cell in row] for row in rows], width)
    right = [all(_NUMBER.fullmatch(row[at]) for row in rows[1:] if row[at]) for at in range(len(breadths))]
    for number, row in enumerate(rows):
        cells = (
            _placed(_cut(cell, breadth), breadth, right=to_right)
            for cell, breadth, to_right in zip(row, breadths, right, strict=True)
        )
        yield GAP.join(cells).rstrip()
        if number == 0:
            yield GAP.join("─" * breadth for breadth in breadths)


def _breadths(sizes: Sequence[Sequence[int]], width: int) -> list[int]:
    breadths = [max(1, *(row[at] for row in sizes)) for at in range(len(sizes[0]))]
    room = width - len(GAP) * (len(breadths) - 1)
    while sum(breadths) > room and max(breadths) > LEAST:
        breadths[breadths.index(max(breadths))] -= 1
    return breadths


def _placed(text: str, breadth: int, *, right: bool) -> str:
    blanks = " " * (breadth - columns(text))
    return blanks + text if right else text + blanks


def _cut(text: str, breadth: int) -> str:
    if columns(text) <= breadth:
        return text
    room, end = breadth - 1, 0
    while end < len(text) and (size := columns(text[end])) <= room:
        room, end = room - size, end + 1
    return text[:end] + "…"
