"""How many pods each region asks for, remembered while it answers: a burning one can no longer be asked."""

from __future__ import annotations

from bot.domain.errors import PultError
from bot.domain.failover import Pair
from bot.domain.failover_course import moving, room_mark
from bot.domain.services import Catalogue, Environment
from bot.ports.cluster import Cluster, Workload
from bot.ports.schedules import Periodic
from bot.ports.store import Store

EVERY = 600.0


def duty(store: Store, cluster: Cluster, services: Catalogue, pair: Pair) -> Periodic:
    """Of what a failover moves, in both regions; what does not answer, or asks for none, is remembered as it was."""

    async def run() -> None:
        for _, source, target in moving(services, pair.move):
            for environment in (source, target):
                count = await _asked_for(cluster, environment)
                if count:
                    await _remember(store, environment, count)

    return Periodic("rooms", EVERY, run)


async def _asked_for(cluster: Cluster, environment: Environment) -> int:
    try:
        return (await cluster.rollout(Workload.of(environment))).desired
    except (PultError, TimeoutError):
        return 0


async def _remember(store: Store, environment: Environment, count: int) -> None:
    name = room_mark(environment)
    if await store.read(lambda tx: tx.mark(name)) != count:
        await store.write(lambda tx: tx.put_mark(name, count))
