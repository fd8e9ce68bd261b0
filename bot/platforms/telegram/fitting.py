"""Shortens sections, at a line, until they fit into one message. Pure.

What is short stays whole: facts, links and ids survive a long list above them. The longest parts give way first, all
to the same length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.platforms.telegram import limits
from bot.platforms.telegram.layout import Line, Section, Span, line_size
from bot.platforms.telegram.text import clip

GAP = 2
"""Units between two sections: a blank line."""


def fitted(sections: Sequence[Section], room: int, keep: int = 0) -> tuple[tuple[Section, ...], bool]:
    """*sections* within *room* UTF-16 units, blank lines between them counted; and whether anything is missing now.

    Of too many sections the last ones are left out, but never the last *keep* ones.
    """
    if _total(sections) <= room:
        return tuple(sections), False
    kept = list(sections)
    while len(kept) > keep + 1 and _cap(kept, room) < limits.SECTION:
        del kept[len(kept) - keep - 1]
    cap = _cap(kept, room)
    return tuple(section if section.size <= cap else _cut(section, cap) for section in kept), True


def _total(sections: Sequence[Section]) -> int:
    return sum(section.size + GAP for section in sections) - GAP


def _cap(sections: Sequence[Section], room: int) -> int:
    """The length to which the longest sections have to be cut for all of them to fit."""
    sizes = sorted(section.size for section in sections)
    left = room - GAP * (len(sizes) - 1)
    for at, size in enumerate(sizes):
        share = left // (len(sizes) - at)
        if size > share:
            return max(0, share)
        left -= size
    return room


def _cut(section: Section, cap: int) -> Section:
    """The first lines of *section*; the first one is cut itself when it alone is too long."""
    room = cap - limits.NOTE
    lines: list[Line] = []
    for line in section.lines:
        size = line_size(line)
        if size > room:
            break
        lines.append(line)
        room -= size + 1
    if not lines:
        lines = [_clipped(section.lines[0], room)]
    return replace(section, lines=tuple(lines), more=section.more + len(section.lines) - len(lines))


def _clipped(line: Line, room: int) -> Line:
    spans: list[Span] = []
    for span in line:
        text = clip(span.text, room)
        spans.append(replace(span, text=text))
        room -= line_size((spans[-1],))
        if text != span.text or room <= 1:
            break
    return tuple(spans)
