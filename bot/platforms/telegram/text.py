"""Text fit for Telegram: counted, cleaned, disarmed, escaped. Pure."""

from __future__ import annotations

import re

from bot.domain import texts
from bot.platforms.telegram import limits

_BLANKS = re.compile("[ \t\r\n\u2028\u2029]+")
JOINER = "\N{WORD JOINER}"
"""Invisible; ends every name and address for Telegram (tdlib, ``is_url_unicode_symbol``). What is meant to be copied
belongs in code, where nothing is searched and nothing is put in."""
_ACTIVE = re.compile(
    r"(?<=[@#＃/$])(?=\w)"  # mention, hashtag, command or path, cashtag
    r"|(?<=:)(?=//)"  # address with a scheme
    r"|(?<=\S\.)(?=[^\W\d_])"  # address without one, mail
    r"|(?<=\d\.)(?=\d+\.\d+\.\d)"  # IP address
)


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str, most: int | None = limits.TEXT * 2) -> str:
    """As ``texts.clean``. Of a text that no message can hold whole, only its first *most* characters are read."""
    return texts.clean(text[:most])


def one_line(text: str) -> str:
    """*text* with every run of blanks and line breaks as one blank; no-break spaces stay."""
    return _BLANKS.sub(" ", text)


def active(text: str) -> list[int]:
    """Where to put a ``JOINER``, for Telegram to find no mention, command, hashtag or address in *text*."""
    return [match.start() for match in _ACTIVE.finditer(text)]


def escape(text: str) -> str:
    """*text* as text of HTML, also between double quotes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def clip(text: str, room: int) -> str:
    """*text*, or as much of it as *room* units hold, at a word where one ends near, and a sign that there was more."""
    if units(text) <= room:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, room - 1)].decode("utf-16-le", "ignore")
    head, blank, tail = kept.rpartition(" ")
    return (head if blank and len(tail) < len(kept) // 4 else kept).rstrip() + "…" if room > 0 else ""
