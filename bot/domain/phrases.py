"""Language-neutral sentences: an English text that is its own translation key, and the values it mentions.

A phrase is stored, hashed and sent through the machine untranslated; a renderer turns it into pieces in the
reader's language. Outside text travels only as a *value*, never inside the text, so it can't become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

from bot.domain.redact import redact
from bot.domain.texts import web

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Strong:
    """Text to stand out."""

    text: str | Phrase


@dataclass(frozen=True)
class Code:
    """Text to type or copy: a command, an id, a query."""

    text: str


@dataclass(frozen=True)
class Link:
    """A place to go. ``url`` is shown as a link only when it is http(s)."""

    text: str | Phrase
    url: str


@dataclass(frozen=True)
class Quantity:
    """A number with a unit: "%", "ms", "s", "$", "req", "x" or "" for none; ``digits`` after the point."""

    number: float
    unit: str = ""
    digits: int = 2


Value: TypeAlias = "str | int | float | datetime | timedelta | Phrase | Strong | Code | Link | Quantity"


@dataclass(frozen=True)
class Phrase:
    """``text`` with ``{name}`` fields. ``count`` names the value that picks the plural form of ``text``/``plural``."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)
    plural: str | None = None
    count: int | None = None

    def plain(self) -> str:
        """English without markup: for logs, errors on stderr and tests."""
        return "".join(piece.text for piece in pieces(self, English()))


NOTHING = Phrase("")
"""Nothing to say."""


def phrase(text: str, /, **values: Value) -> Phrase:
    """A sentence to translate; the catalogue is collected from calls of this name."""
    return Phrase(text, values)


def counted(one: str, many: str, count: int, /, **values: Value) -> Phrase:
    """A sentence whose form depends on ``count``, which it may mention as ``{n}``."""
    return Phrase(one, {"n": count, **values}, many, count)


def verbatim(text: str) -> Phrase:
    """Outside text as a sentence of its own: never translated, never markup."""
    return Phrase("{text}", {"text": text})


def in_line(parts: Iterable[Value], between: str = ", ") -> Phrase:
    """Several in one line, each as it is, with *between* between them."""
    values = {f"p{at}": part for at, part in enumerate(parts)}
    return Phrase(between.join(f"{{{name}}}" for name in values), values)


class Words(Protocol):
    """One reader's language and time zone."""

    locale: str

    def translate(self, text: str) -> str: ...
    def translate_plural(self, one: str, many: str, count: int) -> str: ...
    def moment(self, at: datetime) -> str: ...
    def local(self, at: datetime) -> datetime: ...
    def day(self, at: datetime) -> str: ...
    def duration(self, length: timedelta) -> str: ...
    def number(self, value: float, digits: int | None = None) -> str: ...


class English:
    """Words without a catalogue: English, UTC, plain numbers."""

    locale = "en"

    def translate(self, text: str) -> str:
        return text

    def translate_plural(self, one: str, many: str, count: int) -> str:
        return one if count == 1 else many

    def moment(self, at: datetime) -> str:
        return at.strftime("%Y-%m-%d %H:%M:%S %Z")

    def local(self, at: datetime) -> datetime:
        return at.astimezone(UTC)

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(UTC):%-d %b}"

    def duration(self, length: timedelta) -> str:
        return f"{length.total_seconds():g} s"

    def number(self, value: float, digits: int | None = None) -> str:
        return f"{value:.{digits}f}" if digits is not None else f"{value:g}"


@dataclass(frozen=True)
class Piece:
    """A run of text of one look. ``kind``: text, strong, code, link (with ``url``) or moment (with ``at``)."""

    kind: str
    text: str
    url: str = ""
    at: datetime | None = None


def pieces(sentence: Phrase, words: Words) -> Iterator[Piece]:
    """*sentence* in the reader's language as runs for a renderer to escape and mark up, one by one."""
    if sentence.count is None:
        text = words.translate(sentence.text)
    else:
        text = words.translate_plural(sentence.text, sentence.plural or sentence.text, sentence.count)
    at = 0
    for match in _FIELD.finditer(text):
        if match.start() > at:
            yield Piece("text", text[at : match.start()])
        yield from _value(sentence.values.get(match[1], match[0]), words)
        at = match.end()
    if at < len(text):
        yield Piece("text", text[at:])


def _value(value: object, words: Words) -> Iterator[Piece]:  # noqa: C901 - one flat match
    match value:
        case Phrase():
            yield from pieces(value, words)
        case Strong(text):
            yield Piece("strong", _flat(text, words))
        case Code(text):
            yield Piece("code", redact(text))
        case Link(text, url) if web(url):
            yield Piece("link", _flat(text, words), url=url)
        case Link(text, _):
            yield Piece("text", _flat(text, words))
        case datetime():
            yield Piece("moment", words.moment(value), at=value)
        case timedelta():
            yield Piece("text", words.duration(value))
        case Quantity():
            yield Piece("text", _quantity(value, words))
        case bool() | str():
            yield Piece("text", redact(str(value)))
        case int() | float():
            yield Piece("text", words.number(value))
        case _:
            raise TypeError(f"a phrase can't carry a {type(value).__name__}")


def _flat(text: str | Phrase, words: Words) -> str:
    return redact(text) if isinstance(text, str) else "".join(piece.text for piece in pieces(text, words))


def _quantity(value: Quantity, words: Words) -> str:
    number = words.number(value.number, value.digits)
    match value.unit:
        case "":
            return number
        case "$":
            return f"${number}"
        case "x":
            return f"{number}×"
        case unit:
            return f"{number}\N{NO-BREAK SPACE}{words.translate(unit)}"
