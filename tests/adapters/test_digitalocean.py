"""DigitalOcean's hands over the simulator, beyond what their ports' suites ask, and over answers it never gives."""

import json
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.digitalocean.balancer import GlobalBalancer
from bot.adapters.digitalocean.client import Api, open_api
from bot.adapters.digitalocean.dns import DnsTraffic
from bot.adapters.digitalocean.firewall import NOBODY
from bot.adapters.digitalocean.lineage import Family
from bot.adapters.digitalocean.pools import DigitaloceanPools
from bot.adapters.digitalocean.postgres import ManagedPostgres
from bot.adapters.digitalocean.uptime import UptimeChecks
from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.failover import Sight, Way
from bot.simulator.digitalocean.catalogue import ADDRESSES, CHECK, DOMAIN, RECORD
from bot.simulator.digitalocean.databases import Database, Rule
from bot.simulator.digitalocean.state import Cloud
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.contracts.databases import REGIONS, settings
from tests.department import until
from tests.real import free_port

PASSWORD = "simulated-password"
FIREWALL = "/v2/databases/db-nyc2/firewall"
THERE, BACK = Way("nyc2", "sfo3"), Way("sfo3", "nyc2")
FAMILY = Family("db-nyc2", "db-sfo3")
REPLICAS = "/v2/databases/db-nyc2/replicas"


async def lag() -> float | None:
    return 0.4


def database(api: Api) -> ManagedPostgres:
    return ManagedPostgres(api, FAMILY, REGIONS, lag)


def traffic(api: Api) -> DnsTraffic:
    return DnsTraffic(api, DOMAIN, RECORD, ADDRESSES)


async def moved(regions: ManagedPostgres, way: Way) -> None:
    await regions.fence(way)
    await regions.promote(way)
    await until("it is not promoted", lambda: _promoted(regions, way))


async def rejoined(regions: ManagedPostgres, way: Way) -> None:
    await regions.rejoin(way)
    await until("it does not follow", lambda: _follows(regions, way))


async def _promoted(regions: ManagedPostgres, way: Way) -> bool:
    return (await regions.replication(way)).promoted


async def _follows(regions: ManagedPostgres, way: Way) -> bool:
    return (await regions.replication(way)).lag is not None


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


async def test_ids_of_the_configuration_are_no_longer_needed_after_a_way_there_and_back(bench: Bench) -> None:
    """A promoted replica becomes a cluster of its own, a rejoined one has a new name, and old ones get destroyed."""
    regions = database(bench.api)
    await moved(regions, THERE)
    await rejoined(regions, BACK)
    await moved(regions, BACK)
    names = [each.name for each in bench.cloud.databases.values()]
    assert names == ["db-nyc2", "db-sfo3", "db-nyc2-nyc2-pult-1"]
    for old in ("db-nyc2", "db-sfo3"):
        del bench.cloud.databases[old]
    await rejoined(regions, THERE)
    now = await regions.replication(THERE)
    assert (now.primary, now.standby) == ("db-nyc2-nyc2-pult-1", "db-nyc2-sfo3-pult-1")
    await moved(regions, THERE)
    assert [db.region for db in bench.cloud.databases.values() if db.id in bench.cloud.writable()] == ["sfo3"]
    assert await regions.address("sfo3") == "private-db-nyc2-sfo3-pult-1.db.dept.example:25060"


async def test_databases_of_others_are_none_of_ours(bench: Bench) -> None:
    """Younger ones, in the same regions."""
    now = bench.simulation.world.clock.now()
    for name, region in (("billing", "nyc2"), ("db-nyc2-b", "sfo3"), ("db-sfo3-pult-1", "sfo3")):
        bench.cloud.databases[name] = Database(name, name, region, now)
    found = await database(bench.api).replication(THERE)
    assert (found.primary, found.standby, found.promoted) == ("db-nyc2", "db-sfo3", False)
    await database(bench.api).fence(THERE)
    assert bench.cloud.databases["billing"].rules == []


async def test_a_stale_primary_is_no_promoted_one(bench: Bench) -> None:
    """After a failover the old one is still a primary by itself: traffic must not be sent back to it."""
    regions = database(bench.api)
    await moved(regions, THERE)
    back = await regions.replication(BACK)
    assert (back.promoted, back.standby, back.lag) == (False, "", None)
    with pytest.raises(UserError, match="no server of this pair in nyc2"):
        await regions.address("nyc2")
    with pytest.raises(UserError, match="no replica of this pair in nyc2"):
        await regions.promote(BACK)


async def test_a_fence_remembers_whom_it_keeps_out(bench: Bench) -> None:
    """Even when pult, and all that it knew, is gone: it stands in the fence itself."""
    server = bench.cloud.databases["db-nyc2"]
    server.rules[2] = replace(server.rules[2], description="the bastion (old)")
    before = [(rule.kind, rule.value, rule.description) for rule in server.rules]
    await database(bench.api).fence(THERE)
    assert [rule.description for rule in server.rules] == [
        "fenced by pult: k8s k8s-nyc2", "fenced by pult: k8s k8s-sfo3",
        "fenced by pult: ip_addr 192.0.2.10 (the bastion (old))",
    ]  # fmt: skip
    assert bench.cloud.fenced("db-nyc2")
    await database(bench.api).unfence(THERE)
    assert [(rule.kind, rule.value, rule.description) for rule in server.rules] == before


async def test_a_fence_that_forgot_is_replaced_by_what_the_standby_trusts(bench: Bench) -> None:
    server = bench.cloud.databases["db-nyc2"]
    server.rules = [Rule("1", "ip_addr", NOBODY[0], server.created)]
    await database(bench.api).unfence(THERE)
    assert [(rule.kind, rule.value) for rule in server.rules] == [
        ("k8s", "k8s-nyc2"), ("k8s", "k8s-sfo3"), ("ip_addr", "192.0.2.10")
    ]  # fmt: skip


async def test_a_database_that_was_open_to_all_is_not_opened_again(bench: Bench) -> None:
    """Nobody knows whom it should trust, and an empty list would be the whole Internet."""
    server = bench.cloud.databases["db-nyc2"]
    server.rules, server.replicas[0].rules = [], []
    regions = database(bench.api)
    await regions.fence(THERE)
    assert bench.cloud.fenced("db-nyc2")
    with pytest.raises(UserError, match="Nobody knows which sources db-nyc2 trusted"):
        await regions.unfence(THERE)
    assert bench.cloud.fenced("db-nyc2")


async def test_no_rules_at_all_are_no_fence(bench: Bench) -> None:
    """An empty list is open to the whole Internet."""
    bench.cloud.databases["db-nyc2"].rules = []
    assert not (await database(bench.api).replication(THERE)).fenced


async def test_one_trusted_source_is_no_fence(bench: Bench) -> None:
    regions = database(bench.api)
    trusted = bench.cloud.databases["db-nyc2"].rules[0]
    await regions.fence(THERE)
    bench.cloud.databases["db-nyc2"].rules.append(trusted)
    assert not (await regions.replication(THERE)).fenced


async def test_a_wrong_region_is_no_fence(bench: Bench) -> None:
    """Where nothing of the pair is found, nothing is known to be off."""
    wrong = ManagedPostgres(bench.api, FAMILY, {"nyc2": "nyc1", "sfo3": "sfo3"}, lag)
    found = await wrong.replication(THERE)
    assert (found.fenced, found.reachable, found.primary) == (False, False, "")


async def test_a_promotion_is_asked_for_once(bench: Bench) -> None:
    regions = database(bench.api)
    await regions.fence(THERE)
    for _ in range(2):  # the second while it is under way, as after a crash
        await regions.promote(THERE)
    with pytest.raises(UserError, match="sfo3 has the primary by now"):
        await regions.unfence(THERE)
    await until("it is not promoted", lambda: _promoted(regions, THERE))
    await regions.promote(THERE)
    assert bench.writes == [("PUT", FIREWALL), ("PUT", f"{REPLICAS}/db-sfo3/promote")]


async def test_a_standby_that_is_not_ready_is_refused(bench: Bench) -> None:
    bench.simulation.world.faults.start("region_down", "sfo3")
    with pytest.raises(UserError, match="DigitalOcean refuses this: replica db-sfo3 is not online"):
        await database(bench.api).promote(THERE)


async def test_a_new_replica_trusts_whom_its_primary_trusts(bench: Bench) -> None:
    """It is made open to all; a crash between the two calls is mended by the next one."""
    regions = database(bench.api)
    await moved(regions, THERE)
    bench.simulation.world.faults.start("error", "digitalocean:/databases/db-sfo3/firewall")
    with pytest.raises(TemporaryError):
        await regions.rejoin(BACK)
    bench.simulation.world.faults.clear()
    for _ in range(2):
        await regions.rejoin(BACK)
    [made] = bench.cloud.databases["db-sfo3"].replicas
    assert (made.name, made.region) == ("db-nyc2-nyc2-pult-1", "nyc2")
    assert made.id != made.name
    assert [(rule.kind, rule.value) for rule in made.rules] == [
        ("k8s", "k8s-nyc2"), ("k8s", "k8s-sfo3"), ("ip_addr", "192.0.2.10")
    ]  # fmt: skip


async def test_an_old_primary_that_still_takes_writes_is_not_followed_up(bench: Bench) -> None:
    regions = database(bench.api)
    await moved(regions, THERE)
    bench.cloud.databases["db-nyc2"].rules = list(bench.cloud.databases["db-sfo3"].rules)
    with pytest.raises(UserError, match="db-nyc2 is not fenced"):
        await regions.rejoin(BACK)
    with pytest.raises(UserError, match="no primary of this pair in nyc2"):
        await regions.rejoin(THERE)


async def test_a_check_tells_whom_a_promotion_would_shut_out(bench: Bench) -> None:
    regions, [standby] = database(bench.api), bench.cloud.databases["db-nyc2"].replicas
    for way in (THERE, BACK):
        said = await regions.check(way)
        assert said.startswith("db-nyc2 and its replica db-sfo3 trust the same sources")
    rules = standby.rules
    standby.rules = rules[1:]
    with pytest.raises(UserError, match="db-sfo3 does not trust k8s k8s-nyc2, as the other server"):
        await regions.check(THERE)
    standby.rules = []
    with pytest.raises(UserError, match="db-sfo3 is open to the whole Internet"):
        await regions.check(THERE)
    bench.cloud.databases["db-nyc2"].replicas.clear()
    with pytest.raises(UserError, match="no primary with a replica in nyc2 and sfo3"):
        await regions.check(THERE)
    assert bench.writes == []


async def test_a_check_of_what_steers_traffic_says_where_it_goes(bench: Bench) -> None:
    assert (await traffic(bench.api).check()).startswith("the record points at nyc2, for 3 s at a time")


async def test_the_lag_of_a_standby_that_is_not_ready_is_unknown(bench: Bench) -> None:
    [standby] = bench.cloud.databases["db-nyc2"].replicas
    standby.ready = bench.simulation.world.clock.now() + timedelta(hours=1)
    assert (await database(bench.api).replication(THERE)).lag is None


async def test_traffic_to_nobody_we_know(bench: Bench) -> None:
    bench.cloud.records[RECORD] |= {"data": "192.0.2.77"}
    assert await traffic(bench.api).region() == ""


async def test_a_part_of_the_api_may_fail_alone(bench: Bench) -> None:
    bench.simulation.world.faults.start("error", "digitalocean:/domains", value=500)
    with pytest.raises(TemporaryError, match="DigitalOcean answers 500"):
        await traffic(bench.api).shift("sfo3")
    assert (await database(bench.api).replication(THERE)).primary == "db-nyc2"


async def test_an_uptime_check_is_the_word_of_most_of_its_places(bench: Bench) -> None:
    faults, checks = bench.simulation.world.faults, UptimeChecks(bench.api)
    assert await checks.sight(CHECK) is Sight.UP
    for place, sight in (("us_east", Sight.UP), ("us_west", Sight.UNKNOWN), ("eu_west", Sight.LOST)):
        faults.start("place_down", place)
        assert await checks.sight(CHECK) is sight
    faults.clear()
    faults.start("region_down", "nyc2")
    assert await checks.sight(CHECK) is Sight.LOST
    with pytest.raises(UserError):
        await checks.sight("check-nobody")


async def test_a_record_that_is_not_there_is_said(bench: Bench) -> None:
    with pytest.raises(UserError, match="could not be found"):
        await DnsTraffic(bench.api, DOMAIN, 999, ADDRESSES).shift("sfo3")


async def test_a_wrong_token_is_said_and_not_shown(bench: Bench) -> None:
    async with open_api(settings(bench.url, token="dop_v1_revoked")) as api:
        with pytest.raises(UserError, match="DigitalOcean refuses this: Unable to authenticate you") as caught:
            await database(api).replication(THERE)
    assert "dop_v1" not in str(caught.value)


async def test_one_error_comes_alone(bench: Bench) -> None:
    """What is asked at once fails at once; callers still get one error of a type they know."""
    bench.simulation.world.faults.start("error", "digitalocean")
    with pytest.raises(TemporaryError, match="DigitalOcean answers 503"):
        await database(bench.api).replication(THERE)
    bench.simulation.world.faults.clear()
    assert await database(bench.api).replication(THERE)


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


def calls(api: Api) -> tuple[Any, ...]:
    data, pools = database(api), DigitaloceanPools(api, REGIONS)
    return (
        data.replication(THERE), data.fence(THERE), data.unfence(THERE), data.promote(THERE), data.rejoin(BACK),
        data.beats("nyc2"), data.address("sfo3"), data.check(THERE), traffic(api).region(),
        traffic(api).shift("sfo3"), GlobalBalancer(api, "lb", {"nyc2": "a", "sfo3": "b"}, REGIONS).shift("sfo3"),
        pools.pools("nyc2"), pools.resize("sfo3", "pool-a", 5),
    )  # fmt: skip


LEAK = {"id": "server_error", "message": "Unexpected", "connection": {"uri": f"postgresql://doadmin:{PASSWORD}@db"}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503])
async def test_no_part_of_an_answer_but_its_message_is_told(status: int) -> None:
    async with scripted(Script(status, LEAK)) as api:
        for call in (*calls(api), UptimeChecks(api).sight(CHECK)):
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


@pytest.mark.parametrize(
    "body",
    [
        {"databases": "none"}, {"databases": [{"name": "db-nyc2"}]}, {"databases": [7]},
        {"kubernetes_clusters": [{"id": "x", "region": "nyc2", "node_pools": [{}]}], "domain_record": {"ttl": "soon"}},
        {"load_balancer": {"type": "GLOBAL", "glb_settings": {"region_priorities": ["nyc2"]}}},
    ],
)  # fmt: skip
async def test_nonsense_is_never_taken_for_an_answer(body: Any) -> None:
    async with scripted(Script(200, body)) as api:
        for call in calls(api):
            with pytest.raises((TemporaryError, UserError)):
                await call
        assert await UptimeChecks(api).sight(CHECK) is Sight.UNKNOWN
