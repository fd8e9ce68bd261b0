"""PromQL asked another way: told apart by a label, or as the number of counter resets behind it."""

from __future__ import annotations

import re
from collections.abc import Callable

_SUM = re.compile(r"\bsum\s*(?:(by|without)\s*\(([^)]*)\)\s*)?\(")
_GROWTH = re.compile(r"\b(?:increase|rate)\s*\(")
SELECTOR = r"[A-Za-z_:][\w:]*\s*(?:\{[^{}]*\})?"
_GAUGE = re.compile(rf"\s*(?:max\s*\(\s*({SELECTOR})\s*\)|({SELECTOR}))\s*")
STRINGS = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`")


def apart(promql: str, label: str) -> str:
    """*promql* with every sum told apart by *label*; sums that keep it already stay as they are."""

    def by(found: re.Match[str]) -> str:
        kind, names = found[1], [name.strip() for name in (found[2] or "").split(",") if name.strip()]
        if kind == "without" or label in names:
            return found[0]
        return f"sum by ({', '.join((*names, label))}) ("

    return outside_strings(promql, _SUM, by)


def resets(promql: str) -> str:
    """How often the counters behind *promql* fell back to zero; empty where it counts no growth."""
    return outside_strings(promql, _GROWTH, lambda _: "resets(") if _GROWTH.search(promql) else ""


def highest(promql: str) -> str:
    """The highest value of a gauge over ``$window``: of every sample where it is a plain one, else minute by minute."""
    if found := _GAUGE.fullmatch(promql):
        return f"max(max_over_time({found[1] or found[2]}[$window]))"
    return f"max(max_over_time(({promql})[$window:60s]))"


def outside_strings(promql: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> str:
    """*promql* changed wherever *pattern* stands, but not inside of quotes."""
    parts, at = [], 0
    for quoted in STRINGS.finditer(promql):
        parts += [pattern.sub(change, promql[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    return "".join((*parts, pattern.sub(change, promql[at:])))
