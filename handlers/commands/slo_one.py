"""One SLO in full: figures, pace, what ate the budget, pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from bot.domain.burndown import HOUR, TELLING
from bot.domain.invariants import Invariant
from bot.domain.messages import Aside, Block, Button, Curve, Facts, Graph, Lines, Paragraph, Table, pressable
from bot.domain.phrases import Phrase, Quantity, phrase
from bot.domain.slo import BURN_WINDOWS, Gap, Standing
from bot.ports.budgets import Budgets
from bot.ports.commands import Reply
from handlers.cards import budget
from handlers.cards.eaten import Story, Teller
from handlers.commands.replies import said
from handlers.commands.slo_asked import Asked
from handlers.commands.slo_how import how as computed

UNTOLD = Aside(phrase("How it went is not known: Prometheus has not told yet."))


@dataclass(frozen=True)
class Sources:
    """What an answer is made from."""

    teller: Teller
    now: datetime

    @property
    def budgets(self) -> Budgets:
        return self.teller.budgets


async def one(sources: Sources, item: Standing, want: Asked) -> Reply:
    """Everything about one SLO with a budget."""
    async with asyncio.TaskGroup() as group:
        blocks = group.create_task(burning(sources, item))
        resets = group.create_task(sources.budgets.resets(item.slo))
    names = (phrase("Burn 5 min"), phrase("1 h"), phrase("6 h"), phrase("3 d"))
    rates = tuple(phrase("{rate}", rate=budget.burn(item, window)) for window in BURN_WINDOWS)
    doubts = [Paragraph(each) for each in budget.doubts(item)]
    if Gap.LATE in item.gaps:
        doubts.append(Paragraph(phrase("Prometheus is still at work: ask again in a few seconds for the rest.")))
    return said(
        _title(item), Facts(tuple(_facts(item))), Table(names, (rates,)), Paragraph(budget.outlook(item)), *doubts,
        *blocks.result(), *_resets(resets.result(), item), *(computed(item) if want.how else ()),
        tone=budget.tone([item]), buttons=tuple(_buttons(item, want)),
    )  # fmt: skip


def _title(item: Standing) -> Phrase:
    slo = item.slo
    if item.left is None:
        return phrase("{service} {name}: what is left is unknown", service=slo.service, name=slo.name)
    return phrase(
        "{service} {name}: {left} of the budget left",
        service=slo.service, name=slo.name, left=budget.percent(item.left, 1),
    )  # fmt: skip


async def burning(sources: Sources, item: Standing, *, brief: bool = False) -> list[Block]:
    """What ate the budget, and how it went down; *brief*: without the burn rate."""
    told = await sources.teller.story(item, sources.now)
    if told.past.since is None:
        return [] if item.left is None else [UNTOLD]
    blocks: list[Block] = [*_eaten(told, brief=brief), *_begun(item, told)]
    if any(isfinite(value) for _, value in told.past.left()):
        name = phrase("Budget of {name}", name=item.slo.name) if brief else phrase("Budget left")
        blocks.append(told.left(name))
        if not brief:
            blocks.append(told.burns())
    return blocks


async def invariant(sources: Sources, item: Invariant, *, how: bool) -> Reply:
    """Everything about a promise that has no budget."""
    limit = timedelta(seconds=item.slo.threshold or 0)
    waits = await sources.budgets.waits(item.slo)
    facts = [
        (phrase("Objective"), phrase("nothing waits longer than {limit}, ever", limit=limit)),
        (phrase("Oldest now"), _seconds(item.age)),
        (phrase("Longest in {window}", window=item.slo.window), _seconds(item.peak)),
    ]
    if item.slo.missed:
        missed = budget.UNKNOWN if item.missed is None else Quantity(item.missed, digits=0)
        facts.append((phrase("Deadlines missed"), phrase("{n}", n=missed)))
    blocks: list[Block] = [Facts(tuple(facts)), *(Paragraph(each) for each in budget.doubts(item))]
    if waits is None:
        blocks.append(UNTOLD)
    elif any(isfinite(value) for _, value in waits):
        curve = Curve(phrase("oldest"), waits)
        blocks.append(Graph(phrase("Longest wait"), (curve,), "s", item.slo.threshold))
    title = phrase("{service} {name}: {kept}", service=item.slo.service, name=item.slo.name, kept=budget.left(item))
    return said(title, *blocks, *(computed(item) if how else ()), tone=budget.tone([item]))


def _seconds(value: float | None) -> Phrase:
    return budget.UNKNOWN if value is None else phrase("{length}", length=timedelta(seconds=value))


def _facts(item: Standing) -> Iterator[tuple[Phrase, Phrase]]:
    slo = item.slo
    yield (
        phrase("Objective"),
        phrase("{share} over {window}", share=budget.percent(slo.objective, 3), window=slo.window),
    )
    yield phrase("Now"), phrase("{share}", share=budget.percent(item.sli, 3))
    yield phrase("Budget left"), _rest(item)
    if item.whole.total is not None:
        bad = budget.UNKNOWN if item.whole.bad is None else Quantity(max(0.0, item.whole.bad), digits=0)
        yield (
            phrase("Requests"),
            phrase("{total}, {bad} of them bad", total=Quantity(item.whole.total, digits=0), bad=bad),
        )
    if slo.quantile:
        ms = budget.UNKNOWN if item.quantile is None else Quantity(item.quantile * 1000, "ms", 0)
        yield phrase("p99 measured"), phrase("{ms}", ms=ms)


def _rest(item: Standing) -> Phrase:
    """In per cent, minutes and requests; requests only where they are counted."""
    if item.left is None or item.minutes_left is None:
        return budget.UNKNOWN
    share, minutes = budget.percent(item.left, 1), timedelta(minutes=max(0.0, item.minutes_left))
    if item.failures_left is None:
        return phrase("{share}, {minutes} of outage; requests are not counted", share=share, minutes=minutes)
    return phrase(
        "{share}, {minutes} of outage, {failures} failed requests",
        share=share, minutes=minutes, failures=Quantity(max(0.0, item.failures_left), digits=0),
    )  # fmt: skip


def _eaten(told: Story, *, brief: bool) -> Iterator[Block]:
    worst = told.past.worst()
    if worst is not None and worst.spent >= TELLING and not brief:
        share = budget.percent(worst.spent, 1)
        step = told.past.step
        name = phrase("Worst hour") if step == HOUR else phrase("Worst {length}", length=step)
        yield Facts(((name, phrase("{share} of the budget, from {at}", share=share, at=worst.start)),))
    if told.eaten:
        yield Paragraph(phrase("What ate it:"))
        yield Lines(tuple(told.lines()))


def _begun(item: Standing, told: Story) -> Iterator[Block]:
    """Since when there is data, and how much of it is missing in between."""
    since = told.past.since
    if item.short and since is not None:
        yield Aside(phrase("Data begins {at}.", at=since))
    if told.past.unseen:
        yield Aside(
            phrase("No data for {length} in between: what happened then is not known.", length=told.past.unseen)
        )


def _resets(count: float | None, item: Standing) -> Iterator[Block]:
    if count:
        yield Aside(phrase(
            "The counters restarted {n} times in {window}. They count on from zero; what came between the last look "
            "and a restart is in no figure.",
            n=Quantity(count, digits=0), window=item.slo.window,
        ))  # fmt: skip


def _buttons(item: Standing, want: Asked) -> Iterable[Button]:
    """A closer window, and how it was computed."""
    base = f"slo {item.slo.service} {item.slo.name}"
    week = timedelta(days=7)
    choices = (
        (phrase("Last 7 days"), f"{base} 7d", item.slo.window > week),
        (phrase("How it is computed"), " ".join(("slo", *want.words, "--how")), not want.how),
    )
    return [Button(label, text) for label, text, wanted in choices if wanted and pressable(text)]
