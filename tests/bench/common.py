"""Figures: percentiles, rows beside their budgets, the table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

WIDTH = 150


class BrokenError(Exception):
    """A measurement could not be made; its figure would mean nothing."""


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` is None where no budget stands."""

    what: str
    measured: str
    budget: str = ""
    floor: str = ""
    ratio: str = ""
    met: bool | None = None


def quantile(values: Iterable[float], part: float) -> float:
    """The nearest-rank quantile: a value that was measured, never one between two. BrokenError: nothing was."""
    ordered = sorted(values)
    if not ordered:
        raise BrokenError("nothing was measured")
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def ms(seconds: float) -> str:
    """Milliseconds, as exact as the eye needs."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def latency(what: str, values: Sequence[float], budgets: tuple[float, float], floor: Sequence[float] = ()) -> list[Row]:
    """p50 and p99 of *values* (seconds), each beside its budget (seconds) and the same figure of *floor*."""
    rows = []
    for name, part, budget in (("p50", 0.5, budgets[0]), ("p99", 0.99, budgets[1])):
        value = quantile(values, part)
        bare = quantile(floor, part) if floor else None
        rows.append(
            Row(
                f"{what}, {name}",
                ms(value),
                f"< {ms(budget)}",
                ms(bare) if bare is not None else "",
                f"{value / bare:.1f} ×" if bare else "",
                value < budget,
            )
        )
    return rows


def table(rows: Iterable[Row], title: str) -> None:
    """Print *rows* to standard output."""
    shown = Table(title=title, title_justify="left", show_lines=False, pad_edge=False)
    for name in ("what", "measured", "budget", "floor", "ratio", ""):
        shown.add_column(name, justify="left" if name == "what" else "right", overflow="fold")
    for row in rows:
        verdict = "" if row.met is None else "met" if row.met else "NOT MET"
        shown.add_row(row.what, row.measured, row.budget, row.floor, row.ratio, verdict)
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(shown)
