"""Rich messages (Bot API 10.3): one of html, markdown, blocks; size, depth, columns; nothing empty."""

from html.parser import HTMLParser
from typing import Final

from bot.simulator.telegram import limits
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import TelegramError, bad_request
from bot.simulator.telegram.html import checked_url, units

_INLINE: Final = frozenset((
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "a", "tg-spoiler", "tg-emoji", "tg-time",
    "mark", "sub", "sup", "span", "tg-math", "tg-reference", "tg-button",
))  # fmt: skip
_BLOCKS: Final = frozenset((
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "footer", "ul", "ol", "li", "blockquote", "cite", "aside", "details",
    "summary", "table", "caption", "tr", "th", "td", "pre", "figure", "figcaption", "tg-button-row", "tg-math-block",
    "tg-collage", "tg-slideshow",
))  # fmt: skip
_VOID: Final = frozenset(("hr", "br", "img", "video", "audio", "input", "tg-document", "tg-map"))
_UNCOUNTED: Final = frozenset((
    "ul", "ol", "cite", "summary", "table", "caption", "th", "td", "figcaption", "tg-button-row", "br", "input",
))  # fmt: skip
"""Tags that make no block of their own; list items and table rows do."""
_FILLED: Final = {"td": "Table cell", "th": "Table cell", "li": "List item"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, int, str]] = []
        self.text = ""
        self.entities: list[Json] = []
        self.blocks = 0
        self.columns = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE | _BLOCKS | _VOID:
            raise _cannot(f'Unsupported start tag "{tag}"')
        self.blocks += tag in (_BLOCKS | _VOID) - _UNCOUNTED
        self.columns = 0 if tag == "tr" else self.columns + (tag in ("td", "th"))
        if self.columns > limits.RICH_COLUMNS:
            raise bad_request("RICH_VALIDATE_TABLE_COLUMNS_TOO_MANY")
        if tag in _BLOCKS and any(opened in ("td", "th") for opened, _, _ in self.open):
            raise bad_request("Block is not allowed")
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
        if url:
            span = {"offset": units(self.text[:start]), "length": units(inner)}
            self.entities.append({**span, "type": "text_link", "url": url})


def check(rich: object) -> tuple[str, tuple[Json, ...]]:
    """Text and links of an acceptable rich message. TelegramError 400."""
    if not isinstance(rich, dict):
        raise bad_request("object expected as rich message")
    given = [name for name in ("html", "markdown", "blocks") if rich.get(name)]
    if len(given) != 1:
        raise bad_request("Rich message must be non-empty" if not given else "exactly one of html, markdown, blocks")
    value = rich[given[0]]
    text, entities, blocks = _html(value) if given[0] == "html" else _other(value)
    if units(text) > limits.RICH_TEXT:
        raise bad_request("RICH_VALIDATE_TEXT_TOO_LONG")
    if blocks > limits.RICH_BLOCKS:
        raise bad_request("RICH_VALIDATE_BLOCKS_TOO_MANY")
    if not text.strip():
        raise bad_request("Rich message must be non-empty")
    return text, entities


def _html(source: object) -> tuple[str, tuple[Json, ...], int]:
    reader = _Reader()
    reader.feed(str(source))
    reader.close()
    if reader.open:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{reader.open[-1][0]}"')
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
