"""The Database port over a self-run primary and its streaming standby."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from bot.adapters.postgres_ha import doctor, promotion
from bot.adapters.postgres_ha.couple import FRESH, Couple
from bot.adapters.postgres_ha.fencing import Fences
from bot.adapters.postgres_ha.link import Server, endpoint
from bot.adapters.postgres_ha.pulse import PERIOD, Pulse
from bot.adapters.postgres_ha.seen import promoted, stand
from bot.adapters.postgres_ha.silences import Silences
from bot.domain.errors import PultError, TemporaryError, UserError
from bot.domain.failover import Way
from bot.ports.clock import Clock
from bot.ports.machines import Machine
from bot.ports.regions import Replication
from bot.ports.store import Store

log = logging.getLogger(__name__)


class SelfRunPostgres:
    """*machines*, by region, stop a server that can't be spoken to; in the order in which they are tried.

    Opens nothing until it is asked, or told to beat. *name*: of a pair that is not production's.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        machines: Mapping[str, Sequence[Machine]],
        store: Store,
        clock: Clock,
        name: str = "",
    ) -> None:
        self._couple, self._clock = Couple(servers), clock
        self._fences = Fences(self._couple, machines, clock)
        self._silences = Silences(store, clock, name)
        self._pulses = {server.region: Pulse(server, clock) for server in servers}

    @property
    def regions(self) -> tuple[str, ...]:
        """Both."""
        return self._couple.regions

    async def run(self) -> None:
        """Beat in both regions until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for region in self.regions:
                    group.create_task(self._beating(region))
        finally:
            for pulse in self._pulses.values():
                await pulse.close()

    async def replication(self, way: Way) -> Replication:
        """Both servers at once. TemporaryError: neither answers; where one does not, what it alone knows is unknown."""
        source, target = await self._couple.both(way)
        until = self._clock.now()
        if source is None and target is not None:
            beat = target.beats.get(way.source)
            until = await self._silences.fell(way.source, after=beat.at if beat else None)
        fenced = source.fenced if source else await self._fences.off(way.source)
        return stand(way, source, target, until, fenced=fenced)

    async def fence(self, way: Way) -> None:
        """By the server itself, else by what runs it. UserError: neither is confirmed, and why."""
        await self._fences.fence(way.source)

    async def unfence(self, way: Way) -> None:
        """Start what a fence stopped, open what it closed."""
        if not (await self._couple.seen(way.target)).standby:
            raise UserError("The server in {region} is promoted: the old primary stays fenced.", region=way.target)
        await self._fences.unfence(way.source)

    async def promote(self, way: Way) -> None:
        """Done when it returns. UserError: the target is not the source's standby, or the source takes writes."""
        await promotion.promote(self._couple, self._fences, self._clock, way)

    async def rejoin(self, way: Way) -> None:
        """Have the target's server started anew: it asks the source's, and becomes its standby."""
        source, target = await self._couple.seen(way.source), await self._couple.glimpsed(way.target)
        if target is not None and target.standby:
            return
        if source.standby or source.closed:
            raise UserError("The server in {region} is no open primary that one could follow.", region=way.source)
        if target is not None and not (target.shut and source.timeline > target.timeline):
            raise UserError("The server in {region} takes writes: fence it first.", region=way.target)
        await self._fences.restart(way.target, running=target is not None)

    async def beats(self, region: str) -> bool:
        """By its own answer; where it gives none, by whether its standby hears of it, or replays another's beats."""
        try:
            await self._beat(region)
        except TemporaryError:
            since = await self._silences.fell(region)
            seen, heard = await self._couple.heard_of(region)
            beat = seen.beats.get(region)
            recent = beat is not None and beat.at > since and (self._clock.now() - beat.at).total_seconds() < FRESH
            return seen.standby and (heard or recent)
        return True

    async def address(self, region: str) -> str:
        """As configured, or that of the connection string."""
        server = self._couple.server(region)
        return server.address or endpoint(server)

    async def check(self, region: str) -> str:
        """What ``pult check`` says of the server in *region*. UserError: what is missing, with the SQL for it."""
        endpoint(self._couple.server(region))
        async with self._couple.talking(region) as talk:
            found = await doctor.examine(talk, region)
        return f"{found}; {await self._fences.examine(region)}"

    async def _beat(self, region: str) -> None:
        self._couple.server(region)
        await self._pulses[region].beat()
        await self._silences.spoke(region)

    async def _beating(self, region: str) -> None:
        settled = False
        while True:
            try:
                await self._beat(region)
            except PultError:
                settled = False
                await self._silences.fell(region)
            else:
                settled = settled or await self._settled(region)
            await self._clock.sleep(PERIOD)

    async def _settled(self, region: str) -> bool:
        """Whether it is known, of a server that is back, that it was not left behind.

        A primary that comes back after the other was promoted without its fence (on a person's word that it is off) is
        fenced at once: two take writes until then.
        """
        way = next(Way(region, other) for other in self.regions if other != region)
        try:
            source, target = await self._couple.both(way)
            if source and target and not source.fenced and promoted(way, source, target):
                log.error("the database server in %s takes writes, though that in %s was promoted", region, way.target)
                await self._fences.fence(region)
        except PultError as error:
            log.debug("whether the database server in %s was left behind is not known: %s", region, error)
            return False
        return source is not None and target is not None
