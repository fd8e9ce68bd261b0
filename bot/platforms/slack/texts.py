"""Text on its way to Slack: cleaned, measured, cut, and kept from meaning anything to Slack."""

from __future__ import annotations

import re
from itertools import accumulate, takewhile
from urllib.parse import quote, urlsplit

from bot.domain import texts
from bot.platforms.slack import limits

MORE = "…"
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_COSTS = {"&": 5, "<": 4, ">": 4}
_LOOK_ALIKE = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_QUOTE = re.compile(r"(?m)^([^\S\n]*)>")
_EMOJI = re.compile(r":(?=[\w+'-]+:)")
_NAME = re.compile(r"@(?=\w)")
_ADDRESS = re.compile(r"(?i)(?<=[a-z])://")
_WILD = re.compile(r"[*~`>\n]|://|@|:[\w+'-]+:|(?<![^\W_])_|_(?![^\W_])|^\s*(?:[-•]|\d+\.)\s")
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]-._"
_NARROW = "\u200b"


def clean(text: str) -> str:
    """As the domain's, with one kind of line break."""
    return texts.clean(_BREAKS.sub("\n", text))


def size(text: str) -> int:
    """Characters as Slack counts at worst: after escaping, in UTF-16 units."""
    escapes = sum(text.count(sign) * (cost - 1) for sign, cost in _COSTS.items())
    return len(text.encode("utf-16-le", "replace")) // 2 + escapes


def _cost(char: str) -> int:
    return _COSTS.get(char) or 1 + (char > "\uffff")


def cut(text: str, most: int) -> str:
    """*text* within *most* characters, cut at a blank where one is near, with a sign that there was more."""
    if size(text) <= most:
        return text
    room = most - len(MORE)
    end = sum(1 for _ in takewhile(room.__ge__, accumulate(map(_cost, text[:most]))))
    kept = text[:end].rstrip("\u200d\ufe0f")
    head, _, tail = kept.rpartition(" ")
    return (head if head and len(tail) < end // 4 else kept).rstrip() + MORE


def cut_lines(text: str, most: int, lines: int) -> tuple[str, int]:
    """The first whole lines of *text* within both bounds, and how many were left out; a lone long line is cut."""
    every = text.strip("\n").split("\n")
    kept: list[str] = []
    room = most
    for line in every[:lines]:
        room -= size(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        kept = [cut(every[0], most)]
    return "\n".join(kept), len(every) - len(kept)


def escape(text: str) -> str:
    """For mrkdwn: the three signs that Slack's own sequences are made of. Source: docs.slack.dev, formatting."""
    return text.translate(_ESCAPES)


def tame(text: str) -> bool:
    """Whether mrkdwn shows *text*, once escaped, as it is."""
    return _WILD.search(text) is None


def inert(text: str) -> str:
    """*text* for mrkdwn, where it has to go there: escaped, its formatting signs replaced by look-alikes.

    For ``text``, which is read and not copied from: names, addresses and emoji codes get an invisible blank inside.
    """
    flat = _OUTER_UNDERSCORE.sub("ˍ", text.translate(_LOOK_ALIKE))
    flat = _QUOTE.sub(rf"\1{_NARROW}>", flat)
    flat = _EMOJI.sub(f":{_NARROW}", flat)
    flat = _NAME.sub(f"@{_NARROW}", flat)
    return escape(_ADDRESS.sub(f":{_NARROW}//", flat))


def address(url: str) -> str:
    """*url* (http or https) percent-encoded as Slack takes it; empty (no link) when it is odd or holds a secret."""
    if clean(url) != url or not texts.web(url):
        return ""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    if not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        return ""
    encoded = quote(url.strip(), safe=_URL_SAFE)
    return encoded if size(encoded) <= limits.URL else ""
