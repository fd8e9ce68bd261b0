"""Silences: Alertmanager's, in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.codec import stored
from bot.domain.errors import UserError
from bot.domain.phrases import Code
from bot.domain.redact import MASK, secret_name

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_BARE = r"[^\s=!~\"{},]+"
_WRITTEN = re.compile(rf"\s*(?P<label>{_QUOTED}|{_BARE})\s*(?P<op>=~|!~|!=|=)\s*(?P<value>.*?)\s*", re.DOTALL)
_NEXT = rf",\s*(?:{_QUOTED}|{_BARE})\s*(?:=~|!~|!=|=)"
_FIRST = rf"(?:{_QUOTED}|{_BARE})\s*(?:=~|!~|!=|=)\s*(?:{_QUOTED}|\S*?)"
_LISTED = re.compile(rf"{_FIRST}(?=\s*(?:,?\s*\}}(?:\s|$)|$|{_NEXT}))")
_LOOSE = re.compile(rf"{_FIRST}(?=,?\s|,?$|{_NEXT})")
"""One condition of several: in braces, where blanks mean nothing, and parted by blanks or commas."""
_TYPED = str.maketrans(dict.fromkeys("“”„«»", '"'))
"""Quotes that a phone puts in for plain ones."""
_PLAIN = re.compile(r"(?!~)[^\s\",]+")
"""A value that needs no quotes to be read back as it is."""
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_MEANT = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@dataclass(frozen=True)
class Matching:
    """One condition on one label, as Alertmanager writes it: ``=``, ``!=``, ``=~``, ``!~``."""

    label: str
    value: str
    regex: bool = False
    equal: bool = True

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds for *labels*; a missing label is an empty one, and expressions are anchored.

        Alertmanager's expressions are RE2's; one that means nothing to Python's ``re`` accepts nothing.
        """
        value = labels.get(self.label, "")
        if not self.regex:
            return (value == self.value) is self.equal
        try:
            return (re.fullmatch(self.value, value) is not None) is self.equal
        except re.error:
            return False

    def written(self) -> str:
        """For people, as :func:`matching` reads it; a value that looks like a secret is masked (ruling 22)."""
        sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
        label = self.label if re.fullmatch(_BARE, self.label) else _quoted(self.label)
        value = self.value if _PLAIN.fullmatch(self.value) else _quoted(self.value)
        return f"{label}{sign[self.regex, self.equal]}{MASK if secret_name(self.label) else value}"


@dataclass(frozen=True)
class Silence:
    """Who muted what until when, and why."""

    id: str
    matchers: tuple[Matching, ...]
    person: str
    comment: str
    starts_at: datetime
    ends_at: datetime

    def mutes(self, labels: Mapping[str, str]) -> bool:
        """Whether it mutes an alert with *labels*; one without matchers mutes nothing."""
        return bool(self.matchers) and all(matching.accepts(labels) for matching in self.matchers)


def matching(written: str) -> Matching | None:
    """*written* as a condition (``service=api``, ``pod=~"web-.*"``), or None. UserError: not a regular expression.

    Quotes and what is escaped inside them are Alertmanager's (``amtool silence add``).
    """
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return None
    label, sign, value = _meant(found["label"]), found["op"], _meant(found["value"])
    if "~" in sign:
        try:
            re.compile(value)
        except re.error:
            raise UserError("{written} is not a regular expression.", written=Code(written[:80])) from None
    return Matching(label, value, "~" in sign, not sign.startswith("!"))


def conditions(text: str) -> tuple[tuple[Matching, ...], str]:
    """The conditions that *text* begins with, and what follows. UserError: one is not a regular expression.

    As Alertmanager and Prometheus write them (``{service="api",pod=~"web-.*"}``), or parted by blanks or commas.
    """
    rest = text.translate(_TYPED).strip()
    listed = rest.startswith("{")
    pattern, rest = (_LISTED, rest[1:].lstrip()) if listed else (_LOOSE, rest)
    found: list[Matching] = []
    while (one := pattern.match(rest)) and (condition := matching(one[0])):
        found.append(condition)
        rest = rest[one.end() :].lstrip(", \t\n")
    return tuple(found), rest.removeprefix("}").lstrip() if listed else rest


def _quoted(text: str) -> str:
    return '"' + re.sub(r'[\\"\n]', lambda found: _ESCAPED[found[0]], text) + '"'


def _meant(text: str) -> str:
    if not re.fullmatch(_QUOTED, text, re.DOTALL):
        return text
    return re.sub(r'\\[\\"n]', lambda found: _MEANT[found[0]], text[1:-1])


def equals(labels: Mapping[str, str]) -> tuple[Matching, ...]:
    """Exactly these labels."""
    return tuple(Matching(name, value) for name, value in labels.items())


def written(matchers: Iterable[Matching]) -> str:
    """For people, on one line."""
    return ", ".join(matching.written() for matching in matchers)


stored(Matching, Silence)
