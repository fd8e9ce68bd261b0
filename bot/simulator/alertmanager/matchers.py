"""Matchers of silences and filters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TEXT: Final = re.compile(r'\s*([^\s=~!"{},]+)\s*(=~|=|!=|!~)\s*("(?:[^"\\]|\\.)*"|[^"]*?)\s*', re.DOTALL)
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True)
class Matcher:
    """*equal* False negates. ValueError on creation when a regular expression is wrong."""

    name: str
    value: str
    regex: bool
    equal: bool

    def __post_init__(self) -> None:
        if self.regex:
            check(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        have = labels.get(self.name, "")
        same = bool(re.fullmatch(self.value, have)) if self.regex else have == self.value
        return same == self.equal

    def shown(self) -> dict[str, object]:
        return {"isEqual": self.equal, "isRegex": self.regex, "name": self.name, "value": self.value}


def check(pattern: str) -> None:
    """ValueError in the words of Go's regexp package, where they are known."""
    try:
        re.compile(pattern)
    except re.error as error:
        reason = "missing closing )" if "unterminated subpattern" in str(error) else str(error)
        raise ValueError(f"error parsing regexp: {reason}: `^(?:{pattern})$`") from error


def parse(text: str) -> Matcher:
    """``alertname=~"Api.*"``, quotes optional. ValueError says what is wrong, as the API answers it."""
    found = _TEXT.fullmatch(text)
    if not found:
        raise ValueError(f"bad matcher format: {text}")
    name, op, value = found.groups()
    if value.startswith('"'):
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), value[1:-1], flags=re.DOTALL)
    return Matcher(name, value, "~" in op, not op.startswith("!"))
