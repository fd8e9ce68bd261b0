"""What everything that steers requests does for a move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.adapters.digitalocean.balancer import GlobalBalancer
from bot.adapters.digitalocean.client import Api, open_api
from bot.adapters.digitalocean.dns import DnsTraffic
from bot.domain.errors import TemporaryError, UserError
from bot.ports.regions import Traffic
from bot.simulator.digitalocean.catalogue import ADDRESSES, DOMAIN, GLOBAL_ADDRESS, RECORD
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.contracts.databases import REGIONS, cloud_of, settings

TARGETS = {"nyc2": "lb-nyc2", "sfo3": "lb-sfo3"}


@dataclass(frozen=True)
class Switch:
    """Traffic goes to nyc2. ``goes``: where the world says that it goes."""

    traffic: Traffic
    simulation: Simulation

    @property
    def goes(self) -> str:
        return cloud_of(self.simulation).traffic()

    @property
    def writes(self) -> list[str]:
        return [path for method, path in cloud_of(self.simulation).calls if method in {"PUT", "PATCH"}]


async def dns(_: Simulation, api: Api) -> Traffic:
    return DnsTraffic(api, DOMAIN, RECORD, ADDRESSES)


async def balancer(running: Simulation, api: Api) -> Traffic:
    """One that somebody makes, with the record on its address."""
    rule = {"entry_protocol": "https", "entry_port": 443, "target_protocol": "http", "target_port": 8080}
    body: dict[str, Any] = {
        "name": "lb-global", "type": "GLOBAL", "forwarding_rules": [rule],
        "target_load_balancer_ids": list(TARGETS.values()),
        "domains": [{"name": "api.dept.example", "is_managed": True}],
        "glb_settings": {"target_protocol": "http", "target_port": 8080, "failover_threshold": 50,
                         "cdn": {"is_enabled": True}, "region_priorities": {"nyc2": 1, "sfo3": 2}},
    }  # fmt: skip
    headers, url = {"Authorization": f"Bearer {TOKEN}"}, f"{running.url}/digitalocean/v2/load_balancers"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=body) as answer:
        assert answer.status == 202
        made = (await answer.json())["load_balancer"]
    cloud_of(running).records[RECORD] |= {"data": GLOBAL_ADDRESS}
    return GlobalBalancer(api, made["id"], TARGETS, REGIONS)


MAKE: dict[str, Callable[[Simulation, Api], Awaitable[Traffic]]] = {"dns": dns, "balancer": balancer}


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[Switch]:
    async with (
        simulator(SimulatorSettings(port=0, speed=20)) as running,
        open_api(settings(f"{running.url}/digitalocean")) as api,
    ):
        yield Switch(await MAKE[kind](running, api), running)


@pytest.fixture(params=MAKE)
async def switch(request: pytest.FixtureRequest) -> AsyncIterator[Switch]:
    async with opened(request.param) as found:
        yield found


async def test_traffic_moves_once_and_comes_back(switch: Switch) -> None:
    assert await switch.traffic.region() == switch.goes == "nyc2"
    forgotten = await switch.traffic.shift("sfo3")
    assert await switch.traffic.region() == switch.goes == "sfo3"
    assert await switch.traffic.shift("sfo3") == forgotten == await switch.traffic.ttl() >= 0
    assert len(switch.writes) == 1
    await switch.traffic.shift("nyc2")
    assert await switch.traffic.region() == switch.goes == "nyc2"


async def test_looking_changes_nothing(switch: Switch) -> None:
    await switch.traffic.region()
    await switch.traffic.ttl()
    assert switch.writes == []


async def test_a_region_that_is_not_configured_is_refused(switch: Switch) -> None:
    with pytest.raises(UserError, match="fra1"):
        await switch.traffic.shift("fra1")
    assert (switch.writes, switch.goes) == ([], "nyc2")


@pytest.mark.parametrize("fault", ["error", "drop", "ratelimit"])
async def test_what_does_not_answer_is_not_known(switch: Switch, fault: str) -> None:
    switch.simulation.world.faults.start(fault, "digitalocean")
    for call in (switch.traffic.region(), switch.traffic.shift("sfo3")):
        with pytest.raises(TemporaryError):
            await call
    assert switch.goes == "nyc2"


async def test_a_balancer_keeps_all_but_its_priorities() -> None:
    async with opened("balancer") as switch:
        [before] = [each for each in cloud_of(switch.simulation).balancers.values() if each["type"] == "GLOBAL"]
        await switch.traffic.shift("sfo3")
        [after] = [each for each in cloud_of(switch.simulation).balancers.values() if each["type"] == "GLOBAL"]
    assert after["glb_settings"].pop("region_priorities") == {"nyc2": 2, "sfo3": 1}
    assert before["glb_settings"].pop("region_priorities") == {"nyc2": 1, "sfo3": 2}
    assert after == before


async def test_a_balancer_without_a_way_there_is_refused() -> None:
    async with opened("balancer") as switch:
        [found] = [each for each in cloud_of(switch.simulation).balancers.values() if each["type"] == "GLOBAL"]
        found["target_load_balancer_ids"] = ["lb-nyc2"]
        with pytest.raises(UserError, match="no target lb-sfo3 for sfo3"):
            await switch.traffic.shift("sfo3")
        assert switch.writes == []


async def test_a_balancer_that_prefers_nobody_goes_nowhere_we_know() -> None:
    async with opened("balancer") as switch:
        [found] = [each for each in cloud_of(switch.simulation).balancers.values() if each["type"] == "GLOBAL"]
        found["glb_settings"]["region_priorities"] = {"nyc2": 1, "sfo3": 1}
        assert await switch.traffic.region() == ""


async def test_a_regional_balancer_is_none_of_all_regions() -> None:
    async with (
        simulator(SimulatorSettings(port=0)) as running,
        open_api(settings(f"{running.url}/digitalocean")) as api,
    ):
        with pytest.raises(UserError, match="lb-nyc2 is no global load balancer"):
            await GlobalBalancer(api, "lb-nyc2", TARGETS, REGIONS).region()


async def test_a_region_that_burns_behind_a_balancer_is_passed_over() -> None:
    """As in life: what users reach does not follow what is preferred."""
    async with opened("balancer") as switch:
        switch.simulation.world.faults.start("region_down", "nyc2")
        assert (await switch.traffic.region(), switch.goes) == ("nyc2", "sfo3")
