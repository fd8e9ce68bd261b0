"""Rich messages (Bot API 10.3): one of html, markdown, blocks; size, depth, columns, media; nothing empty."""

import re
from html.parser import HTMLParser
from typing import Final

from bot.simulator.telegram import limits, media
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.entities import detect
from bot.simulator.telegram.errors import TelegramError, bad_request
from bot.simulator.telegram.html import checked_url, units
from bot.simulator.telegram.state import Telegram

_INLINE: Final = frozenset((
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "a", "tg-spoiler", "tg-emoji", "tg-time",
    "mark", "sub", "sup", "span", "tg-math", "tg-reference", "tg-button",
))  # fmt: skip
_BLOCKS: Final = frozenset((
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "footer", "ul", "ol", "li", "blockquote", "cite", "aside", "details",
    "summary", "table", "caption", "tr", "th", "td", "pre", "figure", "figcaption", "tg-button-row", "tg-math-block",
    "tg-collage", "tg-slideshow",
))  # fmt: skip
_VOID: Final = frozenset(("hr", "img", "video", "audio", "input", "tg-document", "tg-map"))
_UNCOUNTED: Final = frozenset((
    "ul", "ol", "cite", "summary", "table", "caption", "th", "td", "figcaption", "tg-button-row", "input",
))  # fmt: skip
"""Tags that make no block of their own; list items and table rows do."""
_FILLED: Final = {"td": "Table cell", "th": "Table cell", "li": "List item"}
_MEDIA: Final = ("img", "video", "audio", "tg-document")
_AROUND_MEDIA: Final = frozenset(("figure", "details", "tg-collage", "tg-slideshow"))
"""What may hold media, which are blocks of their own."""
_MARKS: Final = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "code": "code", "pre": "pre"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, int, str]] = []
        self.text = ""
        self.entities: list[Json] = []
        self.blocks = 0
        self.columns = 0
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE | _BLOCKS | _VOID:
            raise _cannot(f'Unsupported start tag "{tag}"')
        self.blocks += tag in (_BLOCKS | _VOID) - _UNCOUNTED
        self.columns = 0 if tag == "tr" else self.columns + (tag in ("td", "th"))
        if self.columns > limits.RICH_COLUMNS:
            raise bad_request("RICH_VALIDATE_TABLE_COLUMNS_TOO_MANY")
        if tag in _BLOCKS and any(opened in ("td", "th") for opened, _, _ in self.open):
            raise bad_request("Block is not allowed")
        if tag in _MEDIA:
            if any(opened not in _AROUND_MEDIA for opened, _, _ in self.open):
                raise bad_request("Block is not allowed")
            self.sources.append(dict(attrs).get("src") or "")
        if tag not in _VOID:
            self.open.append((tag, len(self.text), dict(attrs).get("href") or ""))
        if len(self.open) > limits.RICH_DEPTH:
            raise bad_request("RICH_VALIDATE_DEPTH_TOO_BIG")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            raise _cannot(f'Unexpected end tag "{tag}"')
        _, start, href = self.open.pop()
        inner = self.text[start:]
        if tag in _FILLED and not inner.strip():
            raise bad_request(f"{_FILLED[tag]} must be non-empty")
        url = checked_url(href or inner) if tag == "a" else None
        span = {"offset": units(self.text[:start]), "length": units(inner)}
        if url:
            self.entities.append({**span, "type": "text_link", "url": url})
        elif tag in _MARKS and inner:
            self.entities.append({**span, "type": _MARKS[tag]})


def read(tg: Telegram, args: Args) -> tuple[str, tuple[Json, ...]]:
    """Text and entities of an acceptable `rich_message`, with what is found in it unless detection is skipped.

    TelegramError 400.
    """
    rich = args.structure("rich_message")
    if not isinstance(rich, dict):
        raise bad_request("object expected as rich message")
    given = [name for name in ("html", "markdown", "blocks") if rich.get(name)]
    if len(given) != 1:
        raise bad_request("Rich message must be non-empty" if not given else "exactly one of html, markdown, blocks")
    known = _media(tg, args, rich.get("media") or [])
    value = rich[given[0]]
    text, entities, blocks = _html(value, known) if given[0] == "html" else _other(value)
    if units(text) > limits.RICH_TEXT:
        raise bad_request("RICH_VALIDATE_TEXT_TOO_LONG")
    if blocks > limits.RICH_BLOCKS:
        raise bad_request("RICH_VALIDATE_BLOCKS_TOO_MANY")
    if not text.strip():
        raise bad_request("Rich message must be non-empty")
    return text, entities if rich.get("skip_entity_detection") else tuple(detect(text, list(entities)))


def _media(tg: Telegram, args: Args, given: object) -> set[str]:
    """Ids under which the message may name its media: each an uploaded, known or linked photo."""
    if not isinstance(given, list) or len(given) > limits.RICH_MEDIA:
        raise bad_request("RICH_VALIDATE_MEDIA_TOO_MANY")
    for one in given:
        if not isinstance(one, dict) or not re.fullmatch(limits.RICH_MEDIA_ID, str(one.get("id", ""))):
            raise bad_request("RICH_VALIDATE_MEDIA_ID_INVALID")
        photo = one.get("media")
        if not isinstance(photo, dict) or photo.get("type") != "photo":
            raise bad_request("unsupported media type specified")
        media.read(tg, args, "photo", str(photo.get("media", "")))
    return {str(one["id"]) for one in given}


def _html(source: object, media_ids: set[str]) -> tuple[str, tuple[Json, ...], int]:
    reader = _Reader()
    reader.feed(str(source))
    reader.close()
    if reader.open:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{reader.open[-1][0]}"')
    for src in reader.sources:
        if not src.startswith(("http://", "https://")) and src.removeprefix("tg://photo?id=") not in media_ids:
            raise bad_request("RICH_VALIDATE_MEDIA_NOT_FOUND")
    return reader.text, tuple(reader.entities), reader.blocks


def _other(value: object) -> tuple[str, tuple[Json, ...], int]:
    """Markdown as its source; blocks by their texts and number."""
    if isinstance(value, str):
        return value, (), value.count("\n\n") + 1
    texts: list[str] = []
    blocks = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            blocks += "type" in one
            texts += [found for found in one.values() if isinstance(found, str)]
            waiting += [found for found in one.values() if isinstance(found, dict | list)]
    return "\n".join(texts), (), blocks


def _cannot(sentence: str) -> TelegramError:
    return bad_request(f"can't parse entities: {sentence}")
