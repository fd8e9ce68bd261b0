"""Capacity in the region that takes over: machines first, then pods; ready before anything else is touched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover_course import Lot, Machines
from bot.domain.phrases import Code, Phrase, phrase
from bot.ports.cluster import Rollout
from bot.ports.flows import Did, Say
from bot.ports.pools import Pool
from bot.ports.scaling import Autoscaler
from handlers.flows.failover_spare import Spare, workload
from handlers.flows.failover_tools import LOOK_EVERY, PATIENCE, Leg, Tools, did, listed

KEPT = timedelta(seconds=60)
"""How long a number that was asked for may be another one: an autoscaler looks every 15 s, Argo CD heals within 5 s."""


@dataclass(frozen=True)
class _Seen:
    """How far one lot or pool is; ``there`` is None while nothing answers. ``asked``: how many pods it asks for now."""

    name: Phrase
    need: int
    there: int | None
    asked: int | None = None

    @property
    def ready(self) -> bool:
        return self.there is not None and self.there >= self.need

    @property
    def kept(self) -> bool:
        """Whether the number that was asked for is no longer asked for."""
        return self.asked is not None and self.asked < self.need

    @property
    def told(self) -> Phrase:
        known = "?" if self.there is None else str(self.there)
        return phrase("{name} {there} of {need}", name=self.name, there=known, need=self.need)


class Room:
    """A number that is asked for carries the operation's id, bounds are compared: asking again changes nothing."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._spare = tools, Spare(tools)

    async def bring_up(self, leg: Leg, say: Say) -> Did:
        """UserError: it is not there in time, or can't come: says what lacks."""
        for machines in leg.course.machines:
            await self._machines(leg, machines)
        for lot in leg.course.lots:
            await self._pods(leg, lot)
        seen = await self._ready(leg, say)
        return did(listed(each.told for each in seen), ready={each.name.plain(): each.there for each in seen})

    async def give_back(self, leg: Leg, _: Say) -> Phrase:
        """As many pods as were asked for before; machines are left to whoever pays for them."""
        for planned in leg.course.lots:
            lot = planned if planned.was >= 0 else await self._spare.before(planned)
            if lot is None or not lot.more:
                continue
            if lot.scaler:
                await self._keep(lot, await self._tools.scaling.autoscaler(workload(lot)), lot.least)
            else:
                await self._tools.scaling.scale(workload(lot), lot.was, f"{leg.operation}-undo")
            await self._spare.forget(lot)
        return phrase("as many pods are asked for as before")

    async def rehearse(self, leg: Leg, _: Say) -> Did:
        """Whether it could come: quotas, autoscalers' bounds, rights. UserError: something is in the way."""
        lacks = [why for lot in leg.course.lots if (why := await self._lot_lacks(lot)) is not None]
        lacks += [why for each in leg.course.machines if (why := await self._pool_lacks(leg, each)) is not None]
        if lacks:
            raise UserError("This would be in the way: {lacks}.", lacks=listed(lacks))
        seen = await self._seen(leg)
        return did(phrase("would be brought up: {seen}", seen=listed(each.told for each in seen)))

    async def _machines(self, leg: Leg, machines: Machines) -> None:
        pool = await self._pool(leg, machines)
        if pool.count >= machines.need:
            return
        if pool.limit is not None and machines.need > pool.limit:
            raise UserError(
                "{pool} may have {limit} machines at most, and {need} are needed.",
                pool=Code(pool.name), limit=pool.limit, need=machines.need,
            )  # fmt: skip
        await leg.estate.pools.resize(leg.course.target, pool.name, machines.need)

    async def _pods(self, leg: Leg, lot: Lot) -> None:
        """An autoscaler is told its least: by itself it would take pods away that nothing uses yet."""
        found = await self._tools.cluster.rollout(workload(lot))
        if found.desired >= lot.need:
            return
        scaler = await self._tools.scaling.autoscaler(workload(lot))
        await self._spare.note(leg, lot, found, scaler)
        if scaler is not None:
            await self._keep(lot, scaler, lot.need)
        else:
            await self._tools.scaling.scale(workload(lot), lot.need, leg.operation)

    async def _keep(self, lot: Lot, scaler: Autoscaler | None, least: int) -> None:
        """Have *scaler* never go below *least* pods. UserError: there is none, or its most is less."""
        if scaler is None:
            raise UserError("No autoscaler moves the pods of {name}.", name=Code(lot.environment.workload))
        if least > scaler.most:
            raise UserError(
                "The autoscaler {name} allows {most} pods at most, and {least} are needed.",
                name=Code(scaler.name), most=scaler.most, least=least,
            )  # fmt: skip
        await self._tools.scaling.bound(workload(lot), replace(scaler, least=least))

    async def _ready(self, leg: Leg, say: Say) -> tuple[_Seen, ...]:
        """Waits while something still moves. UserError: nothing has for PATIENCE, or a rollout is stuck."""
        clock = self._tools.clock
        ends, told, kept = clock.now() + PATIENCE, Phrase(""), clock.now() + KEPT
        while True:
            seen = await self._seen(leg)
            if all(each.ready for each in seen):
                return seen
            kept = _undone(seen, kept, clock.now())
            lacking = listed(each.told for each in seen if not each.ready)
            if lacking != told:
                ends, told = clock.now() + PATIENCE, lacking
                await say(phrase("waiting for {lacking}", lacking=lacking))
            if clock.now() >= ends:
                raise UserError("Not ready after {time}: {lacking}.", time=PATIENCE, lacking=lacking)
            await clock.sleep(LOOK_EVERY)

    async def _seen(self, leg: Leg) -> tuple[_Seen, ...]:
        async with asyncio.TaskGroup() as group:
            lots = [group.create_task(self._lot(lot)) for lot in leg.course.lots]
        return (*(task.result() for task in lots), *[await self._there(leg, each) for each in leg.course.machines])

    async def _lot(self, lot: Lot) -> _Seen:
        name = phrase("{service}", service=lot.service)
        try:
            found = await self._tools.cluster.rollout(workload(lot))
        except TemporaryError:
            return _Seen(name, lot.need, None)
        return _Seen(name, lot.need, _available(found), found.desired)

    async def _there(self, leg: Leg, machines: Machines) -> _Seen:
        name = phrase("{pool}", pool=machines.pool)
        try:
            return _Seen(name, machines.need, (await self._pool(leg, machines)).ready)
        except TemporaryError:
            return _Seen(name, machines.need, None)

    async def _pool(self, leg: Leg, machines: Machines) -> Pool:
        pools = await leg.estate.pools.pools(leg.course.target)
        found = next((each for each in pools if each.name == machines.pool), None)
        if found is None:
            raise UserError(
                "There is no node pool {pool} in {region}.", pool=Code(machines.pool), region=leg.course.target
            )
        return found

    async def _lot_lacks(self, lot: Lot) -> Phrase | None:
        scaler = await self._tools.scaling.autoscaler(workload(lot))
        if scaler is not None and scaler.most < lot.need:
            return phrase(
                "the autoscaler of {service} allows {most} pods, and {need} are needed",
                service=lot.service, most=scaler.most, need=lot.need,
            )  # fmt: skip
        missing = await self._tools.scaling.allowed(workload(lot))
        if missing:
            return phrase("pult may not change {service}: {missing}", service=lot.service, missing=missing)
        return None

    async def _pool_lacks(self, leg: Leg, machines: Machines) -> Phrase | None:
        pool = await self._pool(leg, machines)
        if pool.limit is None or machines.need <= pool.limit:
            return None
        return phrase(
            "{pool} may have {limit} machines at most, and {need} are needed",
            pool=pool.name, limit=pool.limit, need=machines.need,
        )  # fmt: skip


def _undone(seen: tuple[_Seen, ...], until: datetime, now: datetime) -> datetime:
    """Until when a number may still be put right by itself. UserError: something has put it back for KEPT."""
    found = next((each for each in seen if each.kept and not each.ready), None)
    if found is None:
        return now + KEPT
    if now >= until:
        raise UserError(
            "{name} is kept at {asked} pods, and {need} are needed. Argo CD, Flux or an autoscaler puts the number "
            "back: stop it there, or change it there.",
            name=found.name, asked=found.asked or 0, need=found.need,
        )  # fmt: skip
    return until


def _available(found: Rollout) -> int:
    """UserError: it will not come by itself."""
    if found.stuck is not None and found.available < found.desired:
        raise UserError("The rollout is stuck: {why}", why=found.stuck)
    return found.available
