"""Several budgets at once: a table, the same as a file, and what is not known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.domain.invariants import Budget
from bot.domain.messages import Block, Button, Lines, Paragraph, Table, pressable
from bot.domain.phrases import Phrase, counted, phrase
from bot.domain.slo import BURN_WINDOWS, Standing
from handlers.cards import budget

DETAILED = 6
"""SLOs that are looked at one by one; of more, only those that need somebody, and the whole list goes along."""


def table(found: Iterable[Budget]) -> Table:
    """A row for each, in their order."""
    header = (phrase("SLO"), phrase("Objective"), phrase("Now"), phrase("Budget left"), phrase("Burn 1 h"))
    return Table(header, tuple(map(_row, found)))


def _row(item: Budget) -> tuple[Phrase, ...]:
    rate = phrase("{rate}", rate=budget.burn(item, budget.H1))
    return budget.name(item), budget.objective(item), budget.measured(item), budget.left(item), rate


def sheet(found: Sequence[Budget]) -> str:
    """The whole list as a file, for chats that show a part: a line each, shares as numbers, empty where unknown.

    Empty for a short list, which is shown as a whole.
    """
    return "\n".join(_sheet(found)) if len(found) > DETAILED else ""


def _sheet(found: Iterable[Budget]) -> Iterator[str]:
    yield "\t".join(("service", "slo", "objective", "now", "left", "burn_5m", "burn_1h", "burn_6h", "burn_3d"))
    for item in found:
        now = item.sli if isinstance(item, Standing) else item.age
        burns = [item.burn(window) if isinstance(item, Standing) else None for window in BURN_WINDOWS]
        cells = ("" if cell is None else f"{cell:.6g}" for cell in (item.slo.objective, now, item.left, *burns))
        yield "\t".join((item.slo.service, item.slo.name, *cells))


def missing(found: Sequence[Budget]) -> Iterator[Block]:
    """Who is not wholly known, and why."""
    doubtful = [(item, tuple(budget.doubts(item))) for item in found if not item.healthy]
    lines = [phrase("{name}: {why}", name=budget.name(item), why=why[0]) for item, why in doubtful if why]
    if lines:
        yield Paragraph(counted(
            "{n} of {all} SLOs is not wholly known:", "{n} of {all} SLOs are not wholly known:", len(lines),
            all=len(found),
        ))  # fmt: skip
        yield Lines(tuple(lines))


def buttons(found: Sequence[Budget]) -> Iterator[Button]:
    """The way to the worst of them, which stands first."""
    worst = found[0].slo
    command = f"slo {worst.service} {worst.name}"
    if pressable(command):
        yield Button(phrase("{name}", name=f"{worst.service} {worst.name}"), command)
