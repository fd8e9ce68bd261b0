"""What ate a budget: the stretches that burned it, beside the releases and incidents of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.blame import Eaten, Suspect, blame
from bot.domain.burndown import Past, Stretch
from bot.domain.errors import UnavailableError
from bot.domain.operations import State
from bot.domain.phrases import Phrase, phrase
from bot.domain.slo import Slo, Standing
from bot.ports.budgets import Budgets
from bot.ports.store import Store, Tx
from handlers.cards import budget

SHOWN = 3
"""Stretches that are looked at more closely and named: each is one more question to Prometheus."""
CLOSE = timedelta(minutes=5)
CLOSE_UP_TO = timedelta(days=2)
"""A longer stretch is no sudden burn: finer steps would say nothing more."""
LOOKED_AT = 200
ACTIONS = frozenset({"promote", "rollback", "undo"})
"""What puts another version into production."""


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
        yield from map(_line, self.eaten)
        rest = (self.past.spent() or 0.0) - sum(each.stretch.spent for each in self.eaten)
        if rest > 0.001:
            yield phrase("the rest, {share}, went little by little", share=budget.percent(rest, 1))
        if not self.known:
            yield phrase("the store does not answer, so nobody knows which releases and incidents fell into it")


async def story(store: Store, budgets: Budgets, item: Standing, now: datetime) -> Story:
    """How the budget of *item* went, and by whom."""
    past = (await budgets.past(item.slo)).on(item)
    stretches = past.stretches()[:SHOWN]
    async with asyncio.TaskGroup() as group:
        closer = [group.create_task(_closer(budgets, past, stretch)) for stretch in stretches]
        told = group.create_task(_happened(store, item.slo, now))
    found = told.result()
    releases, incidents = found or ((), ())
    eaten = tuple(blame(task.result(), releases, incidents) for task in closer)
    return Story(past, eaten, releases, incidents, known=found is not None)


async def _closer(budgets: Budgets, past: Past, stretch: Stretch) -> Stretch:
    if past.step <= CLOSE or stretch.length > CLOSE_UP_TO:
        return stretch
    zoomed = await budgets.zoomed(past, stretch.start, stretch.end, CLOSE)
    return zoomed.burst() or stretch


async def _happened(store: Store, slo: Slo, now: datetime) -> tuple[tuple[Suspect, ...], tuple[Suspect, ...]] | None:
    try:
        return await store.read(lambda tx: (tuple(_releases(tx, slo, now)), tuple(_incidents(tx, slo, now))))
    except UnavailableError:
        return None


def _releases(tx: Tx, slo: Slo, now: datetime) -> Iterator[Suspect]:
    """What went to production: as pipelines told, and as pult itself did."""
    since = now - slo.window
    for release in tx.releases(slo.service, LOOKED_AT):
        if release.stage == "released" and release.at >= since:
            yield Suspect(release.version, release.at)
    for operation in tx.recent_operations(LOOKED_AT):
        plan, at = operation.plan, operation.started_at
        done = operation.state in (State.SUCCEEDED, State.UNDONE, State.RUNNING, State.PAUSED, State.FAILED)
        if plan.service == slo.service and plan.action in ACTIONS and done and at is not None and at >= since:
            yield Suspect(plan.params.get("version") or operation.id, at)


def _incidents(tx: Tx, slo: Slo, now: datetime) -> Iterator[Suspect]:
    for group in tx.past_groups((slo.service,), now - slo.window, LOOKED_AT):
        if group.service == slo.service:
            yield Suspect(f"{group.id} {group.name}", min(group.opened_at, group.since), group.closed_at or now)


def _line(each: Eaten) -> Phrase:
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
