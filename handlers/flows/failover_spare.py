"""What a region was given for a failover, noted when it is given, and taken back once it stands by again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from bot.domain.failover_course import Kind, Lot, given_mark
from bot.domain.failover_steps import BACK
from bot.domain.phrases import Phrase, phrase
from bot.ports.cluster import Rollout, Workload
from bot.ports.flows import Say
from bot.ports.scaling import Autoscaler
from bot.ports.store import Tx
from handlers.flows.failover_tools import LOOK_EVERY, Leg, Tools, listed


def workload(lot: Lot) -> Workload:
    """The Kubernetes object behind *lot*."""
    return Workload.of(lot.environment)


class Spare:
    """Only what still is as the move left it is taken back: whoever changed it since had a reason."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def note(self, leg: Leg, lot: Lot, found: Rollout, scaler: Autoscaler | None) -> None:
        """Before *lot* is given more. What an earlier move gave, and nobody took back, was not there by itself."""
        if leg.course.kind is Kind.FAILBACK or leg.prefix == BACK:
            return
        name, least = (scaler.name, scaler.least) if scaler else ("", 0)
        now = replace(lot, was=found.desired, scaler=name, least=least)

        def noting(tx: Tx) -> None:
            earlier: Lot | None = tx.mark(given_mark(lot.environment))
            had = now if earlier is None or not _stands(earlier, found, scaler) else replace(earlier, need=lot.need)
            tx.put_mark(given_mark(lot.environment), had)

        await self._tools.store.write(noting)

    async def before(self, lot: Lot) -> Lot | None:
        """As it was before it was given more; None: it was given nothing."""
        found: Lot | None = await self._tools.store.read(lambda tx: tx.mark(given_mark(lot.environment)))
        return found

    async def forget(self, lot: Lot) -> None:
        """It was taken back by an undo."""
        await self._tools.store.write(lambda tx: tx.put_mark(given_mark(lot.environment), None))

    async def take_back(self, leg: Leg, say: Say) -> Phrase:
        """As many pods as before, in the region that was left; not while resolvers may still send requests there."""
        await self._quiet(leg, say)
        said = [each async for each in self._taken(leg)]
        return listed(said) if said else phrase("nothing is left of it")

    async def _quiet(self, leg: Leg, say: Say) -> None:
        until = leg.value("shift").get("until")
        ends = datetime.fromisoformat(until) if until else self._tools.clock.now()
        if self._tools.clock.now() < ends:
            await say(phrase("waiting until {until}, when resolvers have forgotten the old answer", until=ends))
        while self._tools.clock.now() < ends:
            await self._tools.clock.sleep(LOOK_EVERY)

    async def _taken(self, leg: Leg) -> AsyncIterator[Phrase]:
        for planned in leg.course.spare:
            if (lot := await self.before(planned)) is not None:
                yield await self._one(leg, lot)
                await self.forget(lot)

    async def _one(self, leg: Leg, lot: Lot) -> Phrase:
        scaling, name = self._tools.scaling, lot.service
        found, scaler = await self._tools.cluster.rollout(workload(lot)), await scaling.autoscaler(workload(lot))
        if _stands(lot, found, scaler):
            if scaler is not None:
                await scaling.bound(workload(lot), replace(scaler, least=lot.least))
            else:
                await scaling.scale(workload(lot), lot.was, f"{leg.operation}-spare")
        elif not _back(lot, found, scaler):
            return phrase("{service} was changed since, and is left as it is", service=name)
        if scaler is not None:
            return phrase("{service} at least {count}", service=name, count=lot.least)
        return phrase("{service} {count}", service=name, count=lot.was)


def _stands(lot: Lot, found: Rollout, scaler: Autoscaler | None) -> bool:
    """Whether it is as the move left it."""
    if lot.scaler or scaler is not None:
        return scaler is not None and bool(lot.scaler) and scaler.least == lot.need
    return found.desired == lot.need


def _back(lot: Lot, found: Rollout, scaler: Autoscaler | None) -> bool:
    """Whether a step that a crash cut short has done it already."""
    return scaler.least == lot.least if scaler is not None else found.desired == lot.was
