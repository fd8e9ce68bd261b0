"""The digest of error budgets: the worst first, what changed since the last one, and what ate it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from bot.domain.invariants import Budget, Invariant
from bot.domain.messages import Aside, Block, Button, Lines, Message, Paragraph
from bot.domain.phrases import Phrase, Quantity, Strong, counted, in_line, phrase
from bot.domain.slo import Slo, Standing
from handlers.cards import budget, budgets
from handlers.cards.budget import Trouble
from handlers.cards.eaten import Story, line

EXPLAINED = 5
"""Stretches that are named, of all budgets together."""


@dataclass(frozen=True)
class Spent:
    """Budgets, the worst first; ``before``: what was left at the last digest; ``stories`` of those that were asked."""

    found: tuple[Budget, ...]
    before: Mapping[Slo, float | None]
    stories: tuple[tuple[Standing, Story], ...]
    since: datetime
    until: datetime


def draw(told: Spent) -> Message:
    """The day's digest."""
    title = phrase("Error budgets: {verdict}", verdict=_verdict(told))
    sheet = budgets.sheet(told.found)
    return Message(title, budget.tone(told.found), tuple(_blocks(told)), tuple(_buttons(told)), sheet)


def with_alerts(week: Message, told: Spent) -> Message:
    """The week's digest of alerts with that of budgets: one message."""
    heading = Paragraph(phrase("Error budgets: {verdict}", verdict=_verdict(told)))
    return replace(
        week, title=phrase("The week in alerts and error budgets"), tone=budget.tone(told.found),
        blocks=(*week.blocks, heading, *_blocks(told)), buttons=tuple(_buttons(told)), whole=budgets.sheet(told.found),
    )  # fmt: skip


def _verdict(told: Spent) -> Phrase:
    """How many of them need somebody, and for what."""
    n = Counter(map(budget.trouble, told.found))
    spent, low, ending, unknown = n[Trouble.SPENT], n[Trouble.LOW], n[Trouble.ENDING], n[Trouble.UNKNOWN]
    words = (
        counted("{n} spent or broken", "{n} spent or broken", spent),
        counted("{n} low", "{n} low", low),
        counted("{n} burning too fast", "{n} burning too fast", ending),
        counted("{n} not wholly known", "{n} not wholly known", unknown),
    )
    said = [text for text in words if text.count]
    if not said:
        return counted("the {n} SLO holds", "all {n} SLOs hold", len(told.found))
    return counted("{what} ({n} SLO in all)", "{what} ({n} SLOs in all)", len(told.found), what=in_line(said))


def _blocks(told: Spent) -> Iterator[Block]:
    yield Lines(tuple(phrase("{name}: {what}", name=Strong(budget.name(i)), what=_one(told, i)) for i in told.found))
    yield from budgets.missing(told.found)
    yield from _eaten(told)
    yield from _picture(told)
    if any(_change(told, item) for item in told.found):
        yield Aside(phrase("Changes are since {since}.", since=told.since))


def _one(told: Spent, item: Budget) -> Phrase:
    """One budget in a line, which is read on phones too: a table of so much is not."""
    objective, change = budget.objective(item), _change(told, item)
    if isinstance(item, Invariant):
        state = phrase("{state} ({change})", state=budget.left(item), change=change) if change else budget.left(item)
        return phrase("{state}; oldest {age}, {limit}", state=state, age=budget.measured(item), limit=objective)
    if item.left is None:
        return phrase("what is left is unknown; objective {share}", share=objective)
    minutes = Quantity(max(0.0, item.minutes_left or 0.0), "min", 0)
    left = phrase("{share} left, {minutes}", share=budget.percent(item.left, 1), minutes=minutes)
    return phrase(
        "{left}; {now} of {objective}; burn {rate} over 1 h",
        left=phrase("{left}, changed by {change}", left=left, change=change) if change else left,
        now=budget.measured(item), objective=objective, rate=budget.burn(item, budget.H1),
    )  # fmt: skip


def _change(told: Spent, item: Budget) -> Phrase | None:
    """In points of the whole budget; None where nothing changed, or there is nothing to compare with."""
    earlier = told.before.get(item.slo)
    if item.left is None or earlier is None or item.left == earlier:
        return None
    if isinstance(item, Invariant):
        return phrase("kept again") if item.left else phrase("new")
    points = round((item.left - earlier) * 100, 1)
    if points > 0:
        return phrase("+{share}", share=budget.percent(points / 100, 1))
    return phrase("{share}", share=budget.percent(points / 100, 1)) if points else None


def _eaten(told: Spent) -> Iterator[Block]:
    """What burned a telling part since the last digest, the costliest first; and of whom that is not known."""
    eaten = [(each, item) for item, story in told.stories for each in story.eaten]
    eaten.sort(key=lambda pair: pair[0].stretch.spent, reverse=True)
    lines = tuple(phrase("{name}: {what}", name=budget.name(item), what=line(each)) for each, item in eaten)
    silent = [budget.name(item) for item, story in told.stories if story.past.since is None]
    if lines:
        yield Paragraph(phrase("What ate it since {since}:", since=told.since))
        yield Lines(lines[:EXPLAINED], max(0, len(lines) - EXPLAINED))
    elif not silent and all(item.left is not None for item in told.found):
        yield Paragraph(phrase("Nothing has eaten a telling part of a budget since {since}.", since=told.since))
    if not all(story.known for _, story in told.stories):
        yield Aside(phrase("The store did not answer: which releases and incidents fell into it is not known."))
    if silent:
        names = in_line(silent)
        yield Aside(phrase("How it went is not known, for Prometheus did not tell in time: {names}.", names=names))


def _picture(told: Spent) -> Iterator[Block]:
    """The burn-down of the worst one that is known."""
    for item, story in told.stories:
        if any(isfinite(value) for _, value in story.past.left()):
            yield story.left(phrase("Budget of {name}", name=f"{item.slo.service} {item.slo.name}"))
            return


def _buttons(told: Spent) -> Iterator[Button]:
    yield from budgets.buttons(told.found)
    yield Button(phrase("SLOs"), "slo")
