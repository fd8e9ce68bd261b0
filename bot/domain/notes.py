"""Release notes: Markdown that somebody else wrote, as plain lines. Outside text never becomes markup."""

from __future__ import annotations

import re

MAX = 20_000
"""Characters of the notes that are read; GitHub takes up to 125,000."""
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,200})?\)")
_REFERENCE = re.compile(r"!?\[([^\[\]]{0,500})\]\[[^\[\]]{0,200}\]")
_TAG = re.compile(r"<(/?[a-zA-Z][^<>]{0,500}|!--)>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MARKS = re.compile(r"(\*\*|__|~~|`)(?=\S)(.{1,1000}?)(?<=\S)\1")
_HEAD = re.compile(r"\s{0,3}#{1,6}\s+")
_QUOTE = re.compile(r"\s{0,3}(?:>\s?)+")
_BULLET = re.compile(r"(\s*)(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_RULE = re.compile(r"\s*([-*_=|])(?:\s*[-*_=|:])*\s*")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_COMPARE = re.compile(r"(?i)\**full changelog\**\s*:")


def plain_lines(markdown: str) -> tuple[str, ...]:
    """The lines of *markdown* that say something, without what only formats them.

    Of a link its text is left; GitHub's own last line, a link to the comparison, goes: the card has that link.
    """
    text = _COMMENT.sub("", markdown[:MAX].replace("\r", ""))
    lines, fenced = [], False
    for raw in text.split("\n"):
        if _FENCE.match(raw):
            fenced = not fenced
        elif fenced:
            lines.append(raw.strip())
        elif not (_RULE.fullmatch(raw) or _COMPARE.match(raw)):
            lines.append(_plain(raw))
    return tuple(line for line in lines if line)


def _plain(raw: str) -> str:
    line = _QUOTE.sub("", raw, count=1) if _QUOTE.match(raw) else raw
    line = _HEAD.sub("", line, count=1) if _HEAD.match(line) else line
    if bullet := _BULLET.match(line):
        line = ("– " if bullet[1] else "") + line[bullet.end() :]
    for pattern in (_LINK, _REFERENCE):
        line = pattern.sub(r"\1", line)
    line = _TAG.sub("", line)
    return _MARKS.sub(r"\2", line).strip()
