"""Several SLOs at once: a table, the worst first, then what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.domain.invariants import Budget
from bot.domain.messages import Block, Button, Lines, Paragraph, Table
from bot.domain.phrases import Phrase, Strong, counted, phrase
from bot.domain.slo import BURN_WINDOWS, Gap, Standing
from bot.ports.commands import Reply
from handlers.cards import budget
from handlers.commands.replies import said
from handlers.commands.slo_asked import Asked
from handlers.commands.slo_how import how
from handlers.commands.slo_one import Sources, burning

DETAILED = 6
"""SLOs whose pace is told in a sentence of its own; of more, only those that need somebody."""
NAMED = 4


async def listed(sources: Sources, want: Asked) -> Reply:
    """The table; for few of them also what ate the budget that is lowest."""
    found = sorted(await sources.budgets.standings(want.slos), key=budget.urgency)
    services = tuple(dict.fromkeys(slo.service for slo in want.slos))
    blocks: list[Block] = [_table(found), *_details(found, several=len(services) > 1), *_missing(found)]
    lowest = next((item for item in found if isinstance(item, Standing) and item.left is not None), None)
    if lowest and len(services) == 1:
        blocks += await burning(sources, lowest, brief=True)
    if want.how:
        blocks += [block for item in found[:DETAILED] for block in how(item)]
    title = (
        phrase("SLOs of {services}", services=", ".join(services))
        if len(services) <= NAMED
        else counted("SLOs of {n} service", "SLOs of {n} services", len(services))
    )
    whole = "\n".join(_sheet(found)) if len(found) > DETAILED else ""
    return said(title, *blocks, tone=budget.tone(found), buttons=tuple(_buttons(found)), whole=whole)


def _table(found: Iterable[Budget]) -> Table:
    header = (phrase("SLO"), phrase("Objective"), phrase("Now"), phrase("Budget left"), phrase("Burn 1 h"))
    return Table(header, tuple(_row(item) for item in found))


def _row(item: Budget) -> tuple[Phrase, ...]:
    rate = phrase("{rate}", rate=budget.burn(item, budget.H1))
    return budget.name(item), budget.objective(item), budget.measured(item), budget.left(item), rate


def _sheet(found: Iterable[Budget]) -> Iterator[str]:
    """The whole list as a file, for chats that show a part: a line each, shares as numbers, empty where unknown."""
    yield "\t".join(("service", "slo", "objective", "now", "left", "burn_5m", "burn_1h", "burn_6h", "burn_3d"))
    for item in found:
        now = item.sli if isinstance(item, Standing) else item.age
        burns = [item.burn(window) if isinstance(item, Standing) else None for window in BURN_WINDOWS]
        cells = ("" if cell is None else f"{cell:.6g}" for cell in (item.slo.objective, now, item.left, *burns))
        yield "\t".join((item.slo.service, item.slo.name, *cells))


def _details(found: Sequence[Budget], *, several: bool) -> Iterator[Block]:
    standings = [item for item in found if isinstance(item, Standing)]
    if len(found) > DETAILED:
        standings = [item for item in standings if not item.healthy][:DETAILED]
    for item in standings:
        yield Paragraph(phrase(
            "{name}: burn {b5m} over 5 min, {b1h} over 1 h, {b6h} over 6 h, {b3d} over 3 d; {outlook}",
            name=Strong(budget.name(item) if several else phrase("{name}", name=item.slo.name)),
            b5m=budget.burn(item, budget.M5), b1h=budget.burn(item, budget.H1), b6h=budget.burn(item, budget.H6),
            b3d=budget.burn(item, budget.D3), outlook=budget.outlook(item),
        ))  # fmt: skip


def _missing(found: Sequence[Budget]) -> Iterator[Block]:
    """Who is not wholly known, and why; what is only late will be there for whoever asks again."""
    doubtful = [(item, tuple(budget.doubts(item))) for item in found if not item.healthy]
    lines = [phrase("{name}: {why}", name=budget.name(item), why=why[0]) for item, why in doubtful if why]
    if not lines:
        return
    yield Paragraph(counted(
        "{n} of {all} SLOs is not wholly known:", "{n} of {all} SLOs are not wholly known:", len(lines),
        all=len(found),
    ))  # fmt: skip
    yield Lines(tuple(lines))
    if any(late(item) for item, _ in doubtful):
        yield Paragraph(phrase("Prometheus is still at work: ask again in a few seconds for the rest."))


def late(item: Budget) -> bool:
    """Whether an answer was only too slow."""
    return Gap.LATE in item.gaps if isinstance(item, Standing) else item.why is Gap.LATE


def _buttons(found: Sequence[Budget]) -> Iterator[Button]:
    """The way to the worst of them."""
    worst = found[0].slo
    command = f"slo {worst.service} {worst.name}"
    if command.isascii() and len(command) <= 64:
        yield Button(phrase("{name}", name=f"{worst.service} {worst.name}"), command)
