"""What every cloud's node pools do for a move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.adapters.digitalocean.client import open_api
from bot.adapters.digitalocean.pools import DigitaloceanPools
from bot.domain.errors import TemporaryError, UserError
from bot.ports.pools import Pool, Pools
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.contracts.databases import REGIONS, cloud_of, settings
from tests.department import until


@dataclass(frozen=True)
class Cloudy:
    pools: Pools
    simulation: Simulation

    def scaled(self, least: int, most: int) -> None:
        """Let sfo3's pool scale itself."""
        [pool] = cloud_of(self.simulation).clusters["k8s-sfo3"].pools
        pool.auto_scale, pool.min_nodes, pool.max_nodes = True, least, most

    @property
    def writes(self) -> list[str]:
        return [path for method, path in cloud_of(self.simulation).calls if method != "GET"]

    async def look(self) -> Pool:
        [found] = await self.pools.pools("sfo3")
        return found


@pytest.fixture(params=["digitalocean"])
async def cloud(request: pytest.FixtureRequest) -> AsyncIterator[Cloudy]:
    async with (
        simulator(SimulatorSettings(port=0, speed=40)) as running,
        open_api(settings(f"{running.url}/{request.param}")) as api,
    ):
        yield Cloudy(DigitaloceanPools(api, REGIONS), running)


async def test_of_several_clusters_in_a_region_the_named_one_counts(cloud: Cloudy) -> None:
    clusters = cloud_of(cloud.simulation).clusters
    clusters["k8s-other"] = replace(clusters["k8s-sfo3"], id="k8s-other", pools=[])
    async with open_api(settings(f"{cloud.simulation.url}/digitalocean")) as api:
        for name, count in (("k8s-sfo3", 1), ("k8s-other", 0), ("k8s-nobody", 0)):
            found = await DigitaloceanPools(api, REGIONS, {"sfo3": name}).pools("sfo3")
            assert len(found) == count


async def test_a_pool_as_it_is(cloud: Cloudy) -> None:
    found = await cloud.look()
    assert (found.name, found.count, found.ready, found.auto_scale) == ("pool-a", 3, 3, False)
    assert found.limit == 3 + 25 - 8  # the account may have 25 machines, and has eight


async def test_more_machines_come_and_are_ready_after_a_while(cloud: Cloudy) -> None:
    for _ in range(2):
        await cloud.pools.resize("sfo3", "pool-a", 5)
    assert (await cloud.look()).count == 5
    await until("they are not ready", lambda: _ready(cloud, 5))
    assert len(cloud.writes) == 1


async def test_never_fewer_than_there_are(cloud: Cloudy) -> None:
    await cloud.pools.resize("sfo3", "pool-a", 2)
    assert ((await cloud.look()).count, cloud.writes) == (3, [])


async def test_one_that_scales_itself_keeps_what_was_asked_for(cloud: Cloudy) -> None:
    cloud.scaled(2, 6)
    before = await cloud.look()
    assert (before.auto_scale, before.limit) == (True, 6)
    for _ in range(2):
        await cloud.pools.resize("sfo3", "pool-a", 5)
    await until("they are not ready", lambda: _ready(cloud, 5))
    [pool] = cloud_of(cloud.simulation).clusters["k8s-sfo3"].pools
    assert (pool.auto_scale, pool.min_nodes, pool.max_nodes) == (True, 5, 6)
    assert len(cloud.writes) == 1


async def test_one_that_may_not_grow_so_far_says_so(cloud: Cloudy) -> None:
    cloud.scaled(2, 4)
    with pytest.raises(UserError, match="pool-a scales itself to 4 machines at most, and 5 are needed"):
        await cloud.pools.resize("sfo3", "pool-a", 5)
    assert cloud.writes == []


async def test_more_than_the_account_may_have_is_refused(cloud: Cloudy) -> None:
    with pytest.raises(UserError, match="limit"):
        await cloud.pools.resize("sfo3", "pool-a", 40)
    assert (await cloud.look()).count == 3


async def test_a_limit_that_nobody_tells_is_unknown(cloud: Cloudy) -> None:
    cloud.simulation.world.faults.start("error", "digitalocean:/account", value=500)
    assert (await cloud.look()).limit is None
    cloud.scaled(2, 6)
    assert (await cloud.look()).limit == 6


@pytest.mark.parametrize(("region", "pool"), [("sfo3", "gold"), ("fra1", "pool-a")])
async def test_what_is_not_there_is_said(cloud: Cloudy, region: str, pool: str) -> None:
    with pytest.raises(UserError):
        await cloud.pools.resize(region, pool, 5)


@pytest.mark.parametrize("fault", ["error", "drop", "ratelimit"])
async def test_what_does_not_answer_is_not_known(cloud: Cloudy, fault: str) -> None:
    cloud.simulation.world.faults.start(fault, "digitalocean")
    calls: tuple[Callable[[], Any], ...] = (cloud.look, lambda: cloud.pools.resize("sfo3", "pool-a", 5))
    for call in calls:
        with pytest.raises(TemporaryError):
            await call()


async def _ready(cloud: Cloudy, count: int) -> bool:
    return (await cloud.look()).ready == count
