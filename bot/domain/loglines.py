"""Log lines: which of them are errors, whose they are, and what of them may be shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot.domain.redact import MASK, redact
from bot.domain.texts import clipped

LONGEST = 4_000
"""Characters of one line that are kept: Docker and CRI split longer ones at 16 KiB anyway."""
_HEAD = 200
"""Characters in which a line says its level, where it is no JSON."""
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Colours and titles for terminals: ECMA-48."""
_KEYS = r"(?:log[._]?)?level|lvl|severity(?:_?text)?|levelname|log\.level"
_JSON = re.compile(rf'(?i)"@?(?:{_KEYS})"\s{{0,4}}:\s{{0,4}}"?([\w-]{{1,16}})')
_LOGFMT = re.compile(rf'(?i)(?:^|[\s,])(?:{_KEYS})=["\']?([a-z]{{1,16}}|\d{{1,3}})\b')
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s")
"""kubernetes/klog: severity, month and day, time."""
_WORD = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|CRIT|SEVERE|PANIC|EMERG|ALERT)\b"
    r"|[\[<(](?i:(trace|debug|info|notice|warn|warning|error|err|fatal|critical|crit|severe|panic|emerg|alert))[\])>]"
)
_BEGINS = re.compile(
    r"(?:[\d:.,TZ/+-]+\s+){0,3}(?:"
    r"(?:error|fatal|panic|fail|crit|critical|fatal error)\s?(?:\[\w+\])?:"
    r"|Traceback \(most recent call last\)|Exception in thread|Unhandled exception|Segmentation fault"
    r"|thread '[^']{0,80}' panicked at"
    r"|[A-Za-z_][\w.$]{0,120}(?:Error|Exception)(?::|$))"
)
"""How runtimes of Go, Python, Java, .NET, Node and Rust begin what they write as they fail."""
_ERRORS = frozenset(
    ("error", "err", "eror", "fatal", "critical", "crit", "severe", "panic", "dpanic", "emerg", "emergency", "alert")
)
_NUMBERED = 50
"""pino and bunyan count levels: 50 is an error, 60 fatal."""
_OPENS = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_CLOSES = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")
_KEY_BODY = re.compile(r"\s*[A-Za-z0-9+/=]{16,80}\s*")


def is_error(text: str) -> bool:
    """Whether the line says of itself that it is an error: by its level where it has one, else by its words."""
    text = text.lstrip()
    if text.startswith("{"):
        said = _JSON.search(text)
        return said is not None and _grave(said[1])
    if said := _KLOG.match(text):
        return said[1] in "EF"
    if said := _LOGFMT.search(text):
        return _grave(said[1])
    if said := _WORD.search(text[:_HEAD]):
        return _grave(said[1] or said[2])
    return _BEGINS.match(text) is not None


def errors(texts: Iterable[str]) -> int:
    """How many lines are errors. A stack trace counts by its first lines, not by its depth."""
    return sum(map(is_error, texts))


def _grave(level: str) -> bool:
    return int(level) >= _NUMBERED if level.isdecimal() else level.lower() in _ERRORS


def tidy(text: str) -> str:
    """*text* without colours and its line end, at most LONGEST characters."""
    plain = _ANSI.sub("", text).rstrip("\r\n")
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"


def brief(text: str, most: int) -> str:
    """*text* as :func:`tidy`, without secrets, at most *most* characters."""
    return clipped(redact(tidy(text)), most)


def masked(texts: Sequence[str]) -> list[str]:
    """Consecutive lines of one source without secrets, as many as there were.

    A private key spans lines, and its beginning or its end may have been cut off.
    """
    shown = [redact(text) for text in texts]
    inside = False
    for at, text in enumerate(texts):
        opens, closes = _OPENS.search(text), _CLOSES.search(text)
        if closes and not (inside or opens):
            _mask_back(shown, texts, at)
        if inside or (closes and not opens):
            shown[at] = MASK
        inside = (inside or opens is not None) and not closes
    return shown


def _mask_back(shown: list[str], texts: Sequence[str], end: int) -> None:
    for at in range(end - 1, -1, -1):
        if not _KEY_BODY.fullmatch(texts[at]):
            return
        shown[at] = MASK


def has(text: str, grep: str) -> bool:
    """Whether *grep* occurs in *text*, in any case."""
    return grep.casefold() in text.casefold()


def short(pod: str) -> str:
    """The part of a pod's name that tells it from its siblings: ``7xk2p`` of api-6c9f7d5b8-7xk2p, db-0 as it is."""
    head, _, tail = pod.rpartition("-")
    return tail if head and re.fullmatch(r"[a-z0-9]{4,6}", tail) else pod


def short_names(sources: Iterable[str]) -> dict[str, str]:
    """A short name for each source (POD or POD/CONTAINER); the whole one where a short one would stand for two."""
    named = {source: _named(source) for source in sources}
    counts: dict[str, int] = {}
    for name in named.values():
        counts[name] = counts.get(name, 0) + 1
    return {source: name if counts[name] == 1 else source for source, name in named.items()}


def _named(source: str) -> str:
    pod, slash, container = source.partition("/")
    return short(pod) + slash + container
