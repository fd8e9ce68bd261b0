"""Several SLOs at once: a table, the worst first, then what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.invariants import Budget
from bot.domain.messages import Block, Paragraph
from bot.domain.phrases import Strong, counted, phrase
from bot.domain.slo import Standing
from bot.ports.commands import Reply
from handlers.cards import budget, budgets
from handlers.cards.budgets import DETAILED
from handlers.commands.replies import said
from handlers.commands.slo_asked import Asked
from handlers.commands.slo_how import how
from handlers.commands.slo_one import Sources, burning

NAMED = 4


async def listed(sources: Sources, want: Asked) -> Reply:
    """The table; for few of them also what ate the budget that is lowest."""
    found = sorted(await sources.budgets.standings(want.slos), key=budget.urgency)
    services = tuple(dict.fromkeys(slo.service for slo in want.slos))
    blocks: list[Block] = [budgets.table(found), *_details(found, several=len(services) > 1), *_missing(found)]
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
    buttons = tuple(budgets.buttons(found))
    return said(title, *blocks, tone=budget.tone(found), buttons=buttons, whole=budgets.sheet(found))


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
    """What is only late will be there for whoever asks again."""
    yield from budgets.missing(found)
    if any(map(budget.late, found)):
        yield Paragraph(phrase("Prometheus is still at work: ask again in a few seconds for the rest."))
