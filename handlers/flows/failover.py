"""Failover and drill: the same steps in the same order; a drill only looks. Fence before promote (promise 19)."""

from __future__ import annotations

import math
from datetime import timedelta

from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Phrase, Quantity, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.flows import Flow, Run, Say
from bot.ports.regions import Database, Traffic

PATIENCE = timedelta(minutes=10)
LOOK_EVERY = 1.0


class Regions:
    """The steps over one database and one traffic switch; ``act`` tells a failover from a drill."""

    def __init__(self, database: Database, traffic: Traffic, clock: Clock, *, act: bool) -> None:
        self._database, self._traffic, self._clock, self._act = database, traffic, clock, act

    async def lag(self, plan: Plan) -> Phrase:
        """An unknown lag counts as too large (promise 14)."""
        now, allowed = await self._database.replication(), float(plan.params["rpo"])
        if now.promoted:
            return phrase("promoted already")
        if now.lag is None or math.isnan(now.lag):
            raise UserError("Nobody knows the replication lag, so nobody knows how much would be lost.")
        if now.lag > allowed:
            raise UserError(
                "The standby is {lag} behind, more than the {rpo} allowed.",
                lag=Quantity(now.lag, "s", 1), rpo=timedelta(seconds=allowed),
            )  # fmt: skip
        return phrase("{lag} behind", lag=Quantity(now.lag, "s", 1))

    async def fence(self) -> Phrase:
        """Done only when the fence is seen to stand."""
        if not self._act:
            now = await self._database.replication()
            return phrase("fenced already") if now.fenced else phrase("would be fenced")
        await self._database.fence()
        now = await self._database.replication()
        if not now.fenced:
            raise UserError("The fence can't be confirmed: the old primary may still take writes.")
        return phrase("the old primary takes no more writes")

    async def promote(self, say: Say) -> Phrase:
        """Refuses without a fence, whatever the steps before said."""
        now = await self._database.replication()
        if now.promoted:
            return phrase("promoted already")
        if not self._act:
            return phrase("{standby} would be promoted", standby=now.standby)
        if not now.fenced:
            raise UserError("The old primary is not fenced; promoting now could split the data in two.")
        await self._database.promote()
        await say(phrase("asked, waiting for it"))
        await self._promoted()
        return phrase("{standby} takes writes", standby=now.standby)

    async def shift(self, region: str) -> Phrase:
        """Says how long old answers live on in resolvers."""
        if not self._act:
            return phrase("traffic goes to {region} now", region=await self._traffic.region() or "?")
        seconds = await self._traffic.shift(region)
        return phrase(
            "traffic goes to {region}; resolvers forget within {time}", region=region, time=timedelta(seconds=seconds)
        )

    async def verify(self, region: str) -> Phrase:
        """The database writes and traffic points where they should."""
        if not self._act:
            return phrase("nothing was changed")
        now = await self._database.replication()
        found = await self._traffic.region()
        if not now.promoted or found != region:
            raise UserError("{region} does not serve yet.", region=region)
        return phrase("{region} serves reads and writes", region=region)

    async def _promoted(self) -> None:
        ends = self._clock.now() + PATIENCE
        while not (await self._database.replication()).promoted:
            if self._clock.now() >= ends:
                raise UserError("The promotion is not done after {time}.", time=PATIENCE)
            await self._clock.sleep(LOOK_EVERY)


def flow(action: str, database: Database, traffic: Traffic, clock: Clock) -> Flow:
    """``failover`` acts; ``drill`` runs the same plan and only looks."""
    regions = Regions(database, traffic, clock, act=action == "failover")

    async def check(plan: Plan) -> None:
        now = await database.replication()
        if now.promoted and action == "failover":
            raise DriftError("{standby} was promoted after this was planned.", standby=now.standby)
        if await traffic.region() == plan.params["target"] and action == "failover":
            raise DriftError("Traffic goes to {region} already.", region=plan.params["target"])

    async def run(running: Run) -> Phrase:
        plan, region = running.plan, running.plan.params["target"]
        await running.step("lag", lambda _: regions.lag(plan))
        await running.step("fence", lambda _: regions.fence())
        await running.step("promote", regions.promote)
        await running.step("shift", lambda _: regions.shift(region))
        await running.step("verify", lambda _: regions.verify(region))
        if action == "drill":
            return phrase("Rehearsed. Nothing was changed.")
        return phrase(
            "{region} serves. Plan the failback when {source} is healthy.", region=region, source=plan.params["source"]
        )

    return Flow(action, check, run)
