"""The same SLO region by region, and all of them together: weighted by traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from bot.domain.errors import UserError
from bot.domain.messages import Block, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, Quantity, Strong, phrase, verbatim
from bot.domain.slo import BURN_WINDOWS, FRESHNESS, Slo, Standing, together
from bot.ports.budgets import Budgets
from bot.ports.commands import Reply
from handlers.cards import budget
from handlers.commands.replies import said


async def split(budgets: Budgets, slos: tuple[Slo, ...], label: str) -> Reply:
    """A table for each SLO. UserError when no answer carries the label."""
    counting = [slo for slo in slos if slo.kind != FRESHNESS and not slo.recording]
    async with asyncio.TaskGroup() as group:
        tasks = [(slo, group.create_task(budgets.apart(slo, label))) for slo in counting]
    found = [(slo, task.result()) for slo, task in tasks if task.result()]
    if not found:
        raise UserError(
            "None of these SLOs can be told apart by {label}: their queries' answers do not carry it.",
            label=Code(label),
        )
    wholes = {slo: _together(slo, parts) for slo, parts in found}
    blocks = [block for slo, parts in found for block in _blocks(parts, wholes[slo], label)]
    missing = [slo for slo in slos if slo not in dict(found)]
    if missing:
        names = ", ".join(f"{slo.service} {slo.name}" for slo in missing)
        blocks.append(Paragraph(phrase("Not told apart: {names}.", names=names)))
    services = ", ".join(dict.fromkeys(slo.service for slo, _ in found))
    tone = budget.tone(wholes.values())
    if tone is Tone.OK and any(not item.healthy for _, parts in found for item in parts.values()):
        tone = Tone.WARNING  # the promise is one of all regions together; one of them breaks it for its own users
    return said(phrase("SLOs of {services} by {label}", services=services, label=label), *blocks, tone=tone)


def _blocks(parts: Mapping[str, Standing], whole: Standing, label: str) -> Iterator[Block]:
    header = (
        verbatim(label), phrase("Requests"), phrase("Now"), phrase("Of the budget"), phrase("Burn 5 min"),
        phrase("Burn 1 h"),
    )  # fmt: skip
    rows = [_row(verbatim(name), item, whole) for name, item in parts.items()]
    yield Paragraph(phrase("{name}, by traffic:", name=Strong(budget.name(whole))))
    yield Table(header, (*rows, _row(phrase("together"), whole, whole)))


def _together(slo: Slo, parts: Mapping[str, Standing]) -> Standing:
    return Standing(
        slo,
        together(item.whole for item in parts.values()),
        {window: together(item.recent[window] for item in parts.values()) for window in BURN_WINDOWS},
    )


def _row(name: Phrase, item: Standing, whole: Standing) -> tuple[Phrase, ...]:
    total, bad, all_ = item.whole.total, item.whole.bad, whole.whole.total
    allowed = None if all_ is None else item.slo.allowed * all_
    spent = None if bad is None or not allowed else max(0.0, bad) / allowed
    count = budget.UNKNOWN if total is None else Quantity(total, digits=0)
    return (
        name,
        phrase("{n}", n=count),
        budget.measured(item),
        phrase("{share}", share=budget.percent(spent, 1)),
        phrase("{rate}", rate=budget.burn(item, budget.M5)),
        phrase("{rate}", rate=budget.burn(item, budget.H1)),
    )
