"""Database and Traffic over the simulated DigitalOcean, and over answers the simulator never gives."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.digitalocean.client import Api
from bot.adapters.digitalocean.regions import FENCE_RULE, DnsTraffic, ManagedPostgres, open_api
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.simulator.digitalocean.catalogue import ADDRESSES, DOMAIN, RECORD
from bot.simulator.digitalocean.state import Cloud
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import free_port

PASSWORD = "simulated-password"
FIREWALL = "/v2/databases/db-nyc2/firewall"
REPLICAS = "/v2/databases/db-nyc2/replicas"


async def lag() -> float | None:
    return 0.4


async def no_lag() -> float | None:
    return None


def settings(url: str, **more: Any) -> DigitaloceanSettings:
    return DigitaloceanSettings(api_url=url, **({"token": TOKEN} | more))


def database(api: Api) -> ManagedPostgres:
    return ManagedPostgres(api, "db-nyc2", "db-sfo3", lag)


def traffic(api: Api) -> DnsTraffic:
    return DnsTraffic(api, DOMAIN, RECORD, ADDRESSES)


@dataclass
class Bench:
    simulation: Simulation
    api: Api
    url: str

    @property
    def cloud(self) -> Cloud:
        assert isinstance(self.simulation.world.cloud, Cloud)
        return self.simulation.world.cloud

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path.removeprefix("/digitalocean")) for method, path in self.cloud.calls if method != "GET"]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=20)) as running:
        url = f"{running.url}/digitalocean/"
        async with open_api(settings(url)) as api:
            yield Bench(running, api, url)


async def test_a_healthy_pair(bench: Bench) -> None:
    found = await database(bench.api).replication()
    assert (found.primary, found.standby) == ("db-nyc2", "db-sfo3")
    assert (found.lag, found.promoted, found.fenced) == (0.4, False, False)
    assert (await ManagedPostgres(bench.api, "db-nyc2", "db-sfo3", no_lag).replication()).lag is None
    assert bench.writes == []


async def test_a_fence_stands_and_may_be_repeated(bench: Bench) -> None:
    regions = database(bench.api)
    for _ in range(2):
        await regions.fence()
        assert (await regions.replication()).fenced
        assert bench.cloud.fenced("db-nyc2")
    rules = bench.cloud.databases["db-nyc2"].rules
    assert [(rule.kind, rule.value) for rule in rules] == [(FENCE_RULE["type"], FENCE_RULE["value"])]


async def test_no_rules_at_all_are_no_fence(bench: Bench) -> None:
    """An empty list is open to the whole Internet."""
    bench.cloud.databases["db-nyc2"].rules = []
    assert not (await database(bench.api).replication()).fenced


async def test_one_trusted_source_is_no_fence(bench: Bench) -> None:
    regions = database(bench.api)
    trusted = bench.cloud.databases["db-nyc2"].rules[0]
    await regions.fence()
    bench.cloud.databases["db-nyc2"].rules.append(trusted)
    assert not (await regions.replication()).fenced


async def test_a_promotion_is_asked_for_once_and_seen_when_done(bench: Bench) -> None:
    regions, states = database(bench.api), []
    await regions.fence()
    await regions.promote()
    await regions.promote()  # under way: a repeat after a crash
    async with asyncio.timeout(5):
        while not states or not states[-1]:
            states.append((await regions.replication()).promoted)
            await asyncio.sleep(0.01)
    assert states[0] is False
    assert bench.cloud.writable() == {"db-sfo3"}
    await regions.promote()  # done
    assert bench.writes == [("PUT", FIREWALL), ("PUT", f"{REPLICAS}/db-sfo3/promote")]


async def test_a_standby_that_is_gone_is_not_promoted(bench: Bench) -> None:
    bench.cloud.databases["db-nyc2"].replicas.clear()
    regions = database(bench.api)
    assert not (await regions.replication()).promoted
    with pytest.raises(UserError, match="DigitalOcean refuses this: The resource you requested could not be found"):
        await regions.promote()


async def test_a_standby_that_is_not_ready_is_refused(bench: Bench) -> None:
    bench.simulation.world.faults.start("region_down", "sfo3")
    with pytest.raises(UserError, match="DigitalOcean refuses this: replica db-sfo3 is not online"):
        await database(bench.api).promote()


async def test_traffic_moves_once(bench: Bench) -> None:
    switch = traffic(bench.api)
    assert await switch.region() == "nyc2"
    assert await switch.shift("sfo3") == 60
    assert (await switch.region(), bench.cloud.traffic()) == ("sfo3", "sfo3")
    assert await switch.shift("sfo3") == 60
    assert bench.writes == [("PATCH", f"/v2/domains/{DOMAIN}/records/{RECORD}")]
    record = bench.cloud.records[RECORD]
    assert (record["type"], record["name"], record["ttl"]) == ("A", "api", 60)


async def test_traffic_to_nobody_we_know(bench: Bench) -> None:
    bench.cloud.records[RECORD] |= {"data": "192.0.2.77"}
    assert await traffic(bench.api).region() == ""


async def test_a_region_without_an_address_is_refused(bench: Bench) -> None:
    with pytest.raises(UserError, match="No address is configured for fra1"):
        await traffic(bench.api).shift("fra1")
    assert bench.writes == []


async def test_a_record_that_is_not_there_is_said(bench: Bench) -> None:
    with pytest.raises(UserError, match="could not be found"):
        await DnsTraffic(bench.api, DOMAIN, 999, ADDRESSES).shift("sfo3")


async def test_a_wrong_token_is_said_and_not_shown(bench: Bench) -> None:
    async with open_api(settings(bench.url, token="dop_v1_revoked")) as api:
        with pytest.raises(UserError, match="DigitalOcean refuses this: Unable to authenticate you") as caught:
            await database(api).replication()
    assert "dop_v1" not in str(caught.value)


async def test_one_error_comes_alone(bench: Bench) -> None:
    """What is asked at once fails at once; callers still get one error of a type they know."""
    bench.simulation.world.faults.start("error", "digitalocean")
    with pytest.raises(TemporaryError, match="DigitalOcean answers 503"):
        await database(bench.api).replication()
    bench.simulation.world.faults.clear()
    assert await database(bench.api).replication()


async def test_a_spent_rate_limit_says_how_long(bench: Bench) -> None:
    bench.simulation.world.faults.start("ratelimit", "digitalocean")
    with pytest.raises(RateLimitedError, match="rate limit is spent") as caught:
        await traffic(bench.api).region()
    assert caught.value.delay is not None
    assert caught.value.delay > 0


async def test_dropped_connections_are_temporary(bench: Bench) -> None:
    bench.simulation.world.faults.start("drop", "digitalocean")
    with pytest.raises(TemporaryError, match="DigitalOcean does not answer"):
        await traffic(bench.api).region()


async def test_a_slow_api_is_given_up(bench: Bench) -> None:
    bench.simulation.world.faults.start("slow", "digitalocean", delay=0.4)
    async with open_api(settings(bench.url, timeout=timedelta(milliseconds=100))) as api:
        with pytest.raises(TemporaryError):
            await traffic(api).region()


async def test_nobody_listens() -> None:
    async with open_api(settings(f"http://127.0.0.1:{free_port()}")) as api:
        with pytest.raises(TemporaryError, match="DigitalOcean does not answer"):
            await traffic(api).region()


# Answers of our own making.


@dataclass
class Script:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, await request.json() if request.can_read_body else None))
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        headers = {"Content-Type": "application/json"} | self.headers
        return web.Response(status=self.status, text=text, headers=headers)


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Api]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    told = timedelta(milliseconds=1500)  # no whole number of seconds
    async with TestServer(app) as server, open_api(settings(str(server.make_url("")), timeout=told)) as api:
        yield api


LEAK = {"id": "server_error", "message": "Unexpected", "connection": {"uri": f"postgresql://doadmin:{PASSWORD}@db"}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503])
async def test_no_part_of_an_answer_but_its_message_is_told(status: int) -> None:
    async with scripted(Script(status, LEAK)) as api:
        for call in (database(api).replication(), database(api).fence(), traffic(api).region()):
            with pytest.raises((UserError, TemporaryError)) as caught:
                await call
            assert PASSWORD not in "".join(traceback.format_exception(caught.value))  # as a log would show it
            assert isinstance(caught.value, TemporaryError) is (status == 429 or status >= 500)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, "<html>log in</html>", {"Content-Type": "text/html"}),
        (200, '{"domain_record": ', {}),
        (200, f'{{"connection": "{PASSWORD}", ', {}),
        (200, "[]", {}),
        (200, "{}", {}),
        (504, f"<html>{PASSWORD}</html>", {"Content-Type": "text/html"}),
    ],
)
async def test_whatever_stands_in_between_may_answer(status: int, body: str, headers: dict[str, str]) -> None:
    async with scripted(Script(status, body, headers)) as api:
        with pytest.raises(TemporaryError) as caught:
            await traffic(api).region()
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_the_limits_own_delay_is_kept() -> None:
    async with scripted(Script(429, {"id": "too_many_requests", "message": "slow"}, {"Retry-After": "9"})) as api:
        with pytest.raises(RateLimitedError) as caught:
            await traffic(api).region()
    assert caught.value.delay == 9


async def test_a_firewall_is_never_emptied() -> None:
    script = Script(204, "")
    async with scripted(script) as api:
        await database(api).fence()
    method, path, body = script.asked[-1]
    assert (method, path) == ("PUT", FIREWALL)
    assert body["rules"] == [FENCE_RULE]
