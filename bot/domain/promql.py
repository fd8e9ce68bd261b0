"""PromQL by its text: what an alert rule watches, without its guards and its limit; which series a query reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SET = re.compile(r"\b(and|or|unless)\b", re.IGNORECASE)
_COMPARED = re.compile(r"(>=|<=|==|!=|>|<)\s*(?:bool\b)?\s*")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-z_:][\w:.]*|\d[\w.]*")
_GROUPING = frozenset(["by", "without", "on", "ignoring", "group_left", "group_right"])
_KEYWORDS = _GROUPING | {
    "and", "or", "unless", "atan2", "bool", "offset", "start", "end", "inf", "nan", "sum", "min", "max", "avg", "group",
    "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile", "limitk", "limit_ratio",
}  # fmt: skip
"""Words of PromQL that are no metric, as its lexer has them (prometheus/prometheus, promql/parser/lex.go)."""
_OPEN, _CLOSE, _QUOTES = "([{", ")]}", "\"'`"


@dataclass(frozen=True)
class Watched:
    """``measured`` is PromQL; ``limit`` the number it is compared with, None where it is compared with none."""

    measured: str
    limit: float | None = None

    @property
    def unit(self) -> str:
        """As far as names tell: seconds from the metric's name, per cent from a quotient held to a number up to 1.

        A recorded quotient has "ratio" behind its second colon.
        """
        quotient = "/" in _outside(self.measured) or re.match(r"\w+:\w+:ratio", self.measured)
        if self.limit is not None and 0 < self.limit <= 1 and quotient:
            return "%"
        return "s" if re.search(r"_seconds(_bucket|_sum)?\b", self.measured) else ""


def watched(expression: str) -> Watched:
    """*expression* without what stands behind a set operator, split at its comparison with a number."""
    text = _bare(expression)
    cut = next((at for at, _ in _matches(_SET, text)), None)
    if cut is not None:
        text = _bare(text[:cut])
    for at, found in _matches(_COMPARED, text):
        if number := _NUMBER.fullmatch(text[at + len(found) :].strip()):
            return Watched(_bare(text[:at]), float(number[0]))
    return Watched(text)


def selectors(expression: str) -> tuple[str, ...]:
    """The selectors in *expression*, each once, without their ranges and offsets."""
    plain = _unquoted(expression)
    found: dict[str, None] = {}
    at = 0
    while at < len(plain):
        word = _WORD.match(plain, at)
        end = word.end() if word else at
        rest = plain[end:].lstrip()
        opened = len(plain) - len(rest)
        if (
            rest.startswith("{")
            and (word is None or plain[at:end].lower() not in _KEYWORDS)
            and plain[at] not in " \t\n"
        ):
            end = opened + closing(rest) + 1
            found[expression[at:end]] = None
        elif word and plain[at:end].lower() in _GROUPING and rest.startswith("("):
            end = opened + closing(rest) + 1  # names of labels
        elif word and not plain[at].isdigit() and plain[at:end].lower() not in _KEYWORDS and not rest.startswith("("):
            found[expression[at:end]] = None
        elif plain[at] == "[":
            end = at + closing(plain[at:]) + 1
        at = max(end, at + 1)
    return tuple(found)


def _unquoted(text: str) -> str:
    """*text* with blanks for what is quoted."""
    return "".join(mark for mark, _ in _scanned(text))


def _bare(text: str) -> str:
    """*text* without blanks and brackets around all of it."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """Where *pattern* stands outside of all brackets and quotes."""
    return ((found.start(), found[0]) for found in pattern.finditer(_outside(text)))


def _outside(text: str) -> str:
    """*text* with blanks for all that is inside of brackets or quotes."""
    return "".join(mark if depth == 0 else " " for mark, depth in _scanned(text))


def closing(text: str) -> int:
    """Where the bracket that *text* begins with is closed; -1: never."""
    return next((at for at, (mark, depth) in enumerate(_scanned(text)) if mark in _CLOSE and depth == 1), -1)


def _scanned(text: str) -> Iterator[tuple[str, int]]:
    """Each character with how many brackets it is in, its own included; a blank for what is quoted."""
    depth, quote = 0, ""
    for at, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote and text[at - 1] != "\\" else quote
            yield " ", depth
            continue
        quote = mark if mark in _QUOTES else ""
        depth += mark in _OPEN
        yield " " if quote else mark, depth
        depth -= mark in _CLOSE
