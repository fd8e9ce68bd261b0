"""What ate a budget: the stretches that burned it, beside the releases and incidents of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.blame import Eaten, Suspect, blame
from bot.domain.burndown import Past, Stretch
from bot.domain.errors import UnavailableError
from bot.domain.messages import Curve, Graph
from bot.domain.phrases import Phrase, phrase
from bot.domain.services import Catalogue
from bot.domain.slo import Slo, Standing
from bot.ports.budgets import Budgets
from bot.ports.store import Store, Tx
from handlers.cards import budget
from handlers.cards.arrivals import arrivals

SHOWN = 3
"""Stretches that are looked at more closely and named: each is one more question to Prometheus."""
CLOSE = timedelta(minutes=5)
CLOSE_UP_TO = timedelta(days=2)
"""A longer stretch is no sudden burn: finer steps would say nothing more."""
LOOKED_AT = 200
MARKS = 5
"""Releases and incidents written into a picture: the latest ones."""


@dataclass(frozen=True)
class Story:
    """The past of one budget. ``known``: whether the store could be asked who it was."""

    past: Past
    eaten: tuple[Eaten, ...]
    releases: tuple[Suspect, ...] = ()
    incidents: tuple[Suspect, ...] = ()
    known: bool = True

    def lines(self) -> Iterator[Phrase]:
        """One sentence for each stretch, the costliest first, and one for the rest."""
        yield from map(line, self.eaten)
        rest = (self.past.spent() or 0.0) - sum(each.stretch.spent for each in self.eaten)
        if rest > 0.001:
            yield phrase("the rest, {share}, went little by little", share=budget.percent(rest, 1))
        if not self.known:
            yield phrase("the store does not answer, so nobody knows which releases and incidents fell into it")

    def left(self, title: Phrase) -> Graph:
        """How it went down, beside an even burn."""
        even = Curve(phrase("burned evenly"), self.past.even(), guide=True)
        curves = (Curve(phrase("left"), self.past.left()), even)
        return Graph(title, curves, "%", 0.0, self._marks())

    def burns(self) -> Graph:
        """How fast it burned when."""
        return Graph(phrase("Burn rate"), (Curve(phrase("burn"), self.past.burns()),), "x", 1.0, self._marks())

    def _marks(self) -> tuple[tuple[datetime, Phrase], ...]:
        happened = sorted((*self.releases, *self.incidents), key=lambda each: each.at)
        return tuple((each.at, phrase("{name}", name=each.name)) for each in happened[-MARKS:])


@dataclass(frozen=True)
class Teller:
    """Where the past is asked for. ``services``: who may have brought something into production."""

    store: Store
    budgets: Budgets
    services: Catalogue

    async def story(self, item: Standing, now: datetime, since: datetime | None = None) -> Story:
        """How the budget of *item* went, and by whom; what ate it *since* then, or in the whole window."""
        past = (await self.budgets.past(item.slo)).on(item)
        stretches = (past.after(since) if since else past).stretches()[:SHOWN]
        async with asyncio.TaskGroup() as group:
            closer = [group.create_task(_closer(self.budgets, past, stretch)) for stretch in stretches]
            told = group.create_task(_happened(self.store, item.slo, self.services, now))
        found = told.result()
        releases, incidents = found or ((), ())
        eaten = tuple(blame(task.result(), releases, incidents) for task in closer)
        return Story(past, eaten, releases, incidents, known=found is not None)


async def _closer(budgets: Budgets, past: Past, stretch: Stretch) -> Stretch:
    if past.step <= CLOSE or stretch.length > CLOSE_UP_TO:
        return stretch
    zoomed = await budgets.zoomed(past, stretch.start, stretch.end, CLOSE)
    return zoomed.burst() or stretch


async def _happened(
    store: Store, slo: Slo, services: Catalogue, now: datetime
) -> tuple[tuple[Suspect, ...], tuple[Suspect, ...]] | None:
    try:
        return await store.read(lambda tx: (_releases(tx, services, slo, now), tuple(_incidents(tx, slo, now))))
    except UnavailableError:
        return None


def _releases(tx: Tx, services: Catalogue, slo: Slo, now: datetime) -> tuple[Suspect, ...]:
    return tuple(Suspect(each.version, each.at) for each in arrivals(tx, services, slo.service, now - slo.window))


def _incidents(tx: Tx, slo: Slo, now: datetime) -> Iterator[Suspect]:
    for group in tx.past_groups((slo.service,), now - slo.window, LOOKED_AT):
        if group.service == slo.service:
            yield Suspect(f"{group.id} {group.name}", min(group.opened_at, group.since), group.closed_at or now)


def line(each: Eaten) -> Phrase:
    """What burned how much of it in which time."""
    share, length, at = budget.percent(each.stretch.spent, 1), each.stretch.length, each.stretch.start
    if each.release and each.incident:
        return phrase(
            "{release} burned {share} in {length}, from {at} ({incident})",
            release=each.release, share=share, length=length, at=at, incident=each.incident,
        )  # fmt: skip
    if each.release or each.incident:
        who = each.release or each.incident
        return phrase("{who} burned {share} in {length}, from {at}", who=who, share=share, length=length, at=at)
    return phrase(
        "{share} burned in {length}, from {at}: no release and no alert then", share=share, length=length, at=at
    )
