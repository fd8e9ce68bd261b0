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

_WRITTEN = re.compile(r"(?P<label>[^\s=!~\"{}]+)(?P<op>=~|!~|!=|=)(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True)
class Matching:
    """One condition on one label, as Alertmanager writes it: ``=``, ``!=``, ``=~``, ``!~``."""

    label: str
    value: str
    regex: bool = False
    equal: bool = True

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds for *labels*; a missing label is an empty one, and expressions are anchored."""
        value = labels.get(self.label, "")
        same = re.fullmatch(self.value, value) is not None if self.regex else value == self.value
        return same is self.equal

    def written(self) -> str:
        """For people: a value that looks like a secret is masked (ruling 22)."""
        sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
        return f"{self.label}{sign[self.regex, self.equal]}{MASK if secret_name(self.label) else self.value}"


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
        return all(matching.accepts(labels) for matching in self.matchers)


def matching(written: str) -> Matching | None:
    """*written* as a condition (``service=api``, ``pod=~web-.*``), or None. UserError: not a regular expression."""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return None
    label, sign, value = found["label"], found["op"], found["value"].strip('"')
    if "~" in sign:
        try:
            re.compile(value)
        except re.error:
            raise UserError("{written} is not a regular expression.", written=Code(written[:80])) from None
    return Matching(label, value, "~" in sign, not sign.startswith("!"))


def equals(labels: Mapping[str, str]) -> tuple[Matching, ...]:
    """Exactly these labels."""
    return tuple(Matching(name, value) for name, value in labels.items())


def written(matchers: Iterable[Matching]) -> str:
    """For people, on one line."""
    return ", ".join(matching.written() for matching in matchers)


stored(Matching, Silence)
