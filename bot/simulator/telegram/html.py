"""Telegram's HTML, read byte by byte as its server does: offsets in errors are bytes, in entities UTF-16 units."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import TelegramError, bad_request

_SPACE: Final = frozenset(b" \t\r\n\0\v")
_NAMED: Final = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
_SIMPLE: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
}
_TAGS: Final = frozenset(_SIMPLE) | {"a", "blockquote", "tg-emoji", "tg-time"}
_TIME_FORMAT: Final = re.compile(r"r|w?[dD]?[tT]?")
_ENTITY: Final = re.compile(rb"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([A-Za-z]+));?")
_USER_LINK: Final = re.compile(r"tg://user/?\?id=(\d+)")


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    offset: int
    start: int


class _Reader:
    def __init__(self, source: str) -> None:
        self.data = source.replace("\0", "").encode() + b"\0"
        self.at = 0
        self.text = ""
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Json] = []

    def read(self) -> tuple[str, list[Json]]:
        end = len(self.data) - 1
        while self.at < end:
            if self.data[self.at] == ord("<"):
                self._tag()
            else:
                self._run(end)
        if self.open:
            raise _cannot(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        self.entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return self.text, self.entities

    def _run(self, end: int) -> None:
        """Text up to the next tag, with its references decoded."""
        stop = self.data.find(b"<", self.at)
        stop = end if stop < 0 else stop
        found = _decode(self.data[self.at : stop])
        self.text += found
        self.offset += units(found)
        self.at = stop

    def _tag(self) -> None:
        begin = self.at
        self.at += 1
        if self.data[self.at] == ord("/"):
            self._end_tag(begin)
        else:
            self._start_tag(begin)
        self.at += 1

    def _word(self, stops: bytes) -> bytes:
        begin = self.at
        while self.data[self.at] not in _SPACE and self.data[self.at] not in stops:
            self.at += 1
        return self.data[begin : self.at]

    def _skip_space(self) -> None:
        while self.data[self.at] and self.data[self.at] in _SPACE:
            self.at += 1

    def _start_tag(self, begin: int) -> None:
        tag = self._word(b">").decode(errors="replace").lower()
        if not self.data[self.at]:
            raise _cannot(f"Unclosed start tag at byte offset {begin}")
        if tag not in _TAGS:
            raise _cannot(f'Unsupported start tag "{tag}" at byte offset {begin}')
        attributes: dict[str, str] = {}
        while self.data[self.at] != ord(">"):
            self._skip_space()
            if self.data[self.at] == ord(">"):
                break
            self._attribute(tag, begin, attributes)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise _cannot(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(tag, attributes, self.offset, len(self.text)))

    def _attribute(self, tag: str, begin: int, attributes: dict[str, str]) -> None:
        name = self._word(b"=>/\"'").decode(errors="replace")
        if not name:
            raise _cannot(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._skip_space()
        if self.data[self.at] != ord("="):
            if not self.data[self.at]:
                raise _cannot(f'Unclosed start tag "{tag}" at byte offset {begin}')
            attributes[name] = ""
            return
        self.at += 1
        self._skip_space()
        if not self.data[self.at]:
            raise _cannot(f'Unclosed start tag "{tag}" at byte offset {begin}')
        attributes[name] = self._value()
        if not self.data[self.at]:
            raise _cannot(f"Unclosed start tag at byte offset {begin}")

    def _value(self) -> str:
        """A quoted string with its references decoded, or a lower-cased name token."""
        quote = self.data[self.at]
        if quote not in b"\"'":
            begin = self.at
            while chr(self.data[self.at]).isascii() and (
                chr(self.data[self.at]).isalnum() or self.data[self.at] in b".-"
            ):
                self.at += 1
            if self.data[self.at] not in _SPACE and self.data[self.at] != ord(">"):
                raise _cannot(f"Unexpected end of name token at byte offset {begin}")
            return self.data[begin : self.at].decode().lower()
        end = self.data.find(bytes([quote]), self.at + 1)
        if end < 0:
            self.at = len(self.data) - 1
            return ""
        found = _decode(self.data[self.at + 1 : end])
        self.at = end + 1
        return found

    def _end_tag(self, begin: int) -> None:
        if not self.open:
            raise _cannot(f"Unexpected end tag at byte offset {begin}")
        self.at += 1
        name = self._word(b">").decode(errors="replace").lower()
        self._skip_space()
        if self.data[self.at] != ord(">"):
            raise _cannot(f"Unclosed end tag at byte offset {begin}")
        opened = self.open[-1]
        if name and name != opened.tag:
            raise _cannot(f'Unmatched end tag at byte offset {begin}, expected "</{opened.tag}>", found "</{name}>"')
        self.open.pop()
        if self.offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity = _entity(opened, self.text[opened.start :])
        if entity is None:
            return
        span = {"offset": opened.offset, "length": self.offset - opened.offset}
        if entity["type"] in ("pre", "code") and self._joins(entity, span):
            return
        self.entities.append(span | entity)

    def _joins(self, entity: Json, span: Json) -> bool:
        """`<pre><code class="language-x">` is one pre with a language."""
        last = self.entities[-1] if self.entities else None
        if entity["type"] == "code" or last is None or last["type"] != "code" or "language" not in last:
            return False
        if (last["offset"], last["length"]) != (span["offset"], span["length"]):
            return False
        last["type"] = "pre"
        return True


def _entity(opened: _Open, inner: str) -> Json | None:
    """What a closed tag becomes; None for a link that leads nowhere."""
    given = opened.attributes
    match opened.tag:
        case "a":
            return _link(given.get("href") or inner)
        case "blockquote":
            return {"type": "expandable_blockquote" if "expandable" in given else "blockquote"}
        case "tg-emoji":
            if not re.fullmatch(r"[1-9]\d{0,18}", given.get("emoji-id", "")):
                raise _cannot("Invalid custom emoji identifier specified")
            return {"type": "custom_emoji", "custom_emoji_id": given["emoji-id"]}
        case "tg-time":
            return _time(given)
        case "code" if given.get("class", "").startswith("language-"):
            return {"type": "code", "language": given["class"].removeprefix("language-")}
        case tag:
            return {"type": _SIMPLE[tag]}


def _time(given: dict[str, str]) -> Json:
    if not re.fullmatch(r"\d{1,18}", given.get("unix", "")):
        raise _cannot("Invalid date specified")
    if not _TIME_FORMAT.fullmatch(given.get("format", "")):
        raise _cannot("Invalid date format specified")
    return {"type": "date_time", "unix_time": int(given["unix"]), "date_time_format": given.get("format", "")}


def _link(url: str) -> Json | None:
    user = _USER_LINK.fullmatch(url)
    if user:
        return {"type": "text_mention", "user_id": int(user.group(1))}
    checked = checked_url(url)
    return {"type": "text_link", "url": checked} if checked else None


def checked_url(url: str) -> str | None:
    """The URL as Telegram keeps it, None when it takes it for no link: http(s) with a dot in the host, or tg:."""
    whole = url.strip() if "://" in url or url.startswith("tg:") else f"http://{url.strip()}"
    try:
        parts = urlsplit(whole)
    except ValueError:
        return None
    if parts.scheme == "tg":
        return whole
    if parts.scheme not in ("http", "https") or "." not in (parts.hostname or "") or " " in whole:
        return None
    return whole if parts.path or parts.query or parts.fragment else f"{whole}/"


def _decode(raw: bytes) -> str:
    """Text with `&lt;`, `&#60;`, `&#x3c;` decoded; other references stay as they are."""

    def character(match: re.Match[bytes]) -> bytes:
        hexadecimal, decimal, name = match.groups()
        if name is not None:
            return _NAMED[name].encode() if name in _NAMED else match.group()
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        if not 0 < code < 0x10FFFF or len(match.group()) > 10 or 0xD800 <= code <= 0xDFFF:
            return match.group()
        return chr(code).encode()

    return _ENTITY.sub(character, raw).decode(errors="replace")


def _cannot(sentence: str) -> TelegramError:
    return bad_request(f"can't parse entities: {sentence}")


def parse(source: str) -> tuple[str, list[Json]]:
    """The text and its entities. TelegramError 400: `can't parse entities: …`."""
    text, entities = _Reader(source).read()
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return text, entities
