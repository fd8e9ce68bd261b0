"""Sections as Telegram's HTML, or without any markup. Pure. Nothing is cut here, so no tag is ever halved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bot.domain.phrases import Phrase, Words, counted, pieces
from bot.platforms.telegram import limits
from bot.platforms.telegram.layout import MOMENT, Line, Section, Span, bare
from bot.platforms.telegram.text import clip, escape

_OPENING: Final = {"pre": "<pre>", "blockquote": "<blockquote expandable>"}


def spared(sections: Iterable[Section]) -> list[Section]:
    """*sections* with at most ``limits.ENTITIES`` marks of ``limits.TAGS`` bytes; lines after them have no look.

    To be done before anything is cut: code that loses its look is disarmed, which takes room.
    """
    left, room = limits.ENTITIES, limits.TAGS
    done = []
    for section in sections:
        wrap = _OPENING.get(section.wrap, "")
        if wrap:
            left, room = left - 1, room - _weight(wrap, section.wrap)
        lines = []
        for line in section.lines:
            tags = [_tags(span) for span in line if _marked(span)]
            left, room = left - len(tags), room - sum(_weight(*both) for both in tags)
            lines.append(line if left >= 0 and room >= 0 else bare(line))
        enough = left >= 0 and room >= 0
        done.append(replace(section, lines=tuple(lines), wrap=section.wrap if enough else ""))
    return done


def html(sections: Sequence[Section], words: Words) -> str:
    """With every mark that is asked for; see :func:`spared`."""
    return "\n\n".join(_section(section, words) for section in sections)


def plain(sections: Sequence[Section], words: Words, gap: str = "\n\n", room: int = limits.TEXT) -> str:
    """The same text without any look, *gap* between sections, in *room* units."""
    told = ("\n".join((*(_text(bare(line)) for line in section.lines), *note(section, words))) for section in sections)
    return clip(gap.join(told), room)


def _text(line: Line) -> str:
    return "".join(span.text for span in line)


def note(section: Section, words: Words) -> tuple[str, ...]:
    """What is left out after *section*, in words."""
    return (_said(counted("… and {n} more", "… and {n} more", section.more), words),) if section.more else ()


def _said(sentence: Phrase, words: Words) -> str:
    return "".join(piece.text for piece in pieces(sentence, words))


def _marked(span: Span) -> bool:
    return bool(span.tag and span.text.strip())


def _tags(span: Span) -> tuple[str, str]:
    """The opening tag, and the name of the closing one."""
    match span.tag:
        case "a":
            return f'<a href="{escape(span.value)}">', "a"
        case "tg-time":
            return f'<tg-time unix="{span.value}" format="{MOMENT}">', "tg-time"
        case tag:
            return f"<{tag}>", tag


def _weight(opening: str, tag: str) -> int:
    """Bytes of both tags."""
    return len(opening.encode()) + len(tag) + 3


def run(span: Span) -> str:
    """*span* with its look."""
    if not _marked(span):
        return escape(span.text)
    opening, tag = _tags(span)
    return f"{opening}{escape(span.text)}</{tag}>"


def _section(section: Section, words: Words) -> str:
    left = [escape(text) for text in note(section, words)]
    lines = ["".join(map(run, line)) for line in section.lines]
    match section.wrap:
        case "":
            return "\n".join((*lines, *left))
        case "pre":
            return "\n".join(("<pre>" + "\n".join(lines) + "</pre>", *left))
        case wrap:
            return f"{_OPENING[wrap]}{chr(10).join((*lines, *left))}</{wrap}>"
