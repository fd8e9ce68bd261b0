"""Sections as Telegram's HTML, or without any markup. Pure. Nothing is cut here, so no tag is ever halved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.phrases import Phrase, Words, counted, pieces
from bot.platforms.telegram import limits
from bot.platforms.telegram.layout import MOMENT, Line, Section, Span
from bot.platforms.telegram.text import escape

_OPENING: Final = {"blockquote": "<blockquote expandable>"}


def html(sections: Sequence[Section], words: Words) -> str:
    """At most ``limits.ENTITIES`` entities in ``limits.TAGS`` bytes of tags; what comes after them goes unmarked."""
    marking = _Marking()
    return "\n\n".join(_section(section, words, marking) for section in sections)


def plain(sections: Sequence[Section], words: Words, gap: str = "\n\n") -> str:
    """The same text as it is, *gap* between sections."""
    return gap.join("\n".join((*map(_bare, section.lines), *_note(section, words))) for section in sections)


def _bare(line: Line) -> str:
    return "".join(span.text for span in line)


def _note(section: Section, words: Words) -> tuple[str, ...]:
    return (_said(counted("… and {n} more", "… and {n} more", section.more), words),) if section.more else ()


def _said(sentence: Phrase, words: Words) -> str:
    return "".join(piece.text for piece in pieces(sentence, words))


class _Marking:
    """Counts what has been marked up."""

    def __init__(self) -> None:
        self._entities, self._bytes = 0, 0

    def put(self, opening: str, text: str, tag: str) -> str:
        """Escaped *text* between *opening* and the end of *tag*; bare when there is no more room for entities."""
        weight = len(opening.encode()) + len(tag) + 3
        if self._entities >= limits.ENTITIES or self._bytes + weight > limits.TAGS:
            return text
        self._entities += 1
        self._bytes += weight
        return f"{opening}{text}</{tag}>"

    def span(self, span: Span) -> str:
        text = escape(span.text)
        if not span.tag or not span.text.strip():
            return text
        match span.tag:
            case "a":
                return self.put(f'<a href="{escape(span.value)}">', text, "a")
            case "tg-time":
                return self.put(f'<tg-time unix="{span.value}" format="{MOMENT}">', text, "tg-time")
            case tag:
                return self.put(f"<{tag}>", text, tag)


def _section(section: Section, words: Words, marking: _Marking) -> str:
    note = [escape(text) for text in _note(section, words)]
    if section.wrap == "pre":
        inner = escape("\n".join(_bare(line) for line in section.lines))
        return "\n".join((marking.put("<pre>", inner, "pre"), *note))
    lines = ["".join(marking.span(span) for span in line) for line in section.lines]
    text = "\n".join((*lines, *note))
    return marking.put(_OPENING[section.wrap], text, section.wrap) if section.wrap else text
