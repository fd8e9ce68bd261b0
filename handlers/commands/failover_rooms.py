"""What the region that takes over must have: as many pods as the other one has, or had when it last answered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.domain.errors import PultError
from bot.domain.failover import Move, Place, Room
from bot.domain.failover_course import Lot, Machines, Switch, given_mark, linked, moving, room_mark
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.anatomies import Anatomies
from bot.ports.cluster import Cluster, Workload
from bot.ports.estate import Estate
from bot.ports.scaling import Autoscaler, Scaling
from bot.ports.store import Store
from handlers.commands.failover_facts import DEADLINE

Moved = tuple[tuple[Service, Environment, Environment], ...]


@dataclass(frozen=True)
class Rooms:
    """Asks both regions at once; what does not answer is not known."""

    store: Store
    cluster: Cluster
    scaling: Scaling
    services: Catalogue
    anatomies: Anatomies

    def moved(self, move: Move) -> Moved:
        """Every service that moves. UserError: nobody can tell which of its environments."""
        return moving(self.services, move)

    async def lots(self, move: Move) -> tuple[Lot, ...]:
        """One for each service that moves, or only for those that the configuration names."""
        asked = {room.service: room for room in move.rooms}
        found = [each for each in self.moved(move) if each[2].kind != "daemonset"]
        chosen = [each for each in found if not asked or each[0].name in asked]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lot(each, asked.get(each[0].name))) for each in chosen]
        return tuple(task.result() for task in tasks)

    async def spare(self, move: Move) -> tuple[Lot, ...]:
        """What the region that *move* leaves was given for a failover, and still has as far as anybody noted."""
        names = [given_mark(source) for _, source, _ in self.moved(move)]
        noted = await self.store.read(lambda tx: [tx.mark(name) for name in names])
        return tuple(lot for lot in noted if lot is not None)

    async def machines(self, move: Move, estate: Estate) -> tuple[Machines, ...]:
        """Pools that the configuration gives a number."""
        wanted: dict[str, int] = {}
        for room in move.rooms:
            if room.pool and room.nodes:
                wanted[room.pool] = max(room.nodes, wanted.get(room.pool, 0))
        there: dict[str, int] = {}
        if wanted:
            with suppress(PultError, TimeoutError):
                async with asyncio.timeout(DEADLINE):
                    there = {pool.name: pool.count for pool in await estate.pools.pools(move.way.target)}
        return tuple(Machines(pool, need, there.get(pool, -1)) for pool, need in wanted.items())

    async def links(self, move: Move, estate: Estate) -> tuple[Switch, ...]:
        """The places of the region that takes over, in the configuration's order, with what they hold now."""
        moved = [(service, target) for service, _, target in self.moved(move)]
        places = [place for place in move.places if place.region == move.way.target]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._link(place, estate, moved)) for place in places]
        return tuple(task.result() for task in tasks)

    async def _link(self, place: Place, estate: Estate, moved: list[tuple[Service, Environment]]) -> Switch:
        found = linked(place, "", moved)
        async with asyncio.TaskGroup() as group:
            held = group.create_task(self._held(place, estate))
            tasks = [group.create_task(self._reads(place, reader)) for _, reader in found.readers]
        kept = tuple(each for each, task in zip(found.readers, tasks, strict=True) if task.result())
        return replace(found, was=held.result(), readers=kept)

    async def _reads(self, place: Place, environment: Environment) -> bool:
        """Whether its pods name the Secret; one that nobody can look at is restarted rather than left behind."""
        if not place.secret:
            return True
        with suppress(PultError, TimeoutError):
            async with asyncio.timeout(DEADLINE):
                return place.secret in (await self.anatomies.anatomy(environment)).secrets
        return True

    async def _held(self, place: Place, estate: Estate) -> str:
        with suppress(PultError, TimeoutError):
            async with asyncio.timeout(DEADLINE):
                return await estate.connections.reads(place)
        return ""

    async def _lot(self, each: tuple[Service, Environment, Environment], room: Room | None) -> Lot:
        service, source, target = each
        async with asyncio.TaskGroup() as group:
            had = group.create_task(self._asked_for(source))
            has = group.create_task(self._asked_for(target))
            scales = group.create_task(self._scaler(target))
        there, scaler = has.result(), scales.result()
        need = (room.replicas if room else 0) or had.result() or await self._remembered(source)
        known = bool(need)
        return Lot(
            service.name, target, need or max(there or 0, 1), -1 if there is None else there,
            scaler.name if scaler else "", scaler.least if scaler else 0, scaler.most if scaler else 0, known,
        )  # fmt: skip

    async def _asked_for(self, environment: Environment) -> int | None:
        with suppress(PultError, TimeoutError):
            async with asyncio.timeout(DEADLINE):
                return (await self.cluster.rollout(Workload.of(environment))).desired
        return None

    async def _scaler(self, environment: Environment) -> Autoscaler | None:
        with suppress(PultError, TimeoutError):
            async with asyncio.timeout(DEADLINE):
                return await self.scaling.autoscaler(Workload.of(environment))
        return None

    async def _remembered(self, environment: Environment) -> int:
        found = await self.store.read(lambda tx: tx.mark(room_mark(environment)))
        return int(found or 0)
