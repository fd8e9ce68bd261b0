"""The simulated DigitalOcean, through pydo (in a thread, as pult uses it) and plain requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pydo
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy

from bot.simulator import digitalocean
from bot.simulator.digitalocean.state import Cloud
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.world import World

BASTION_ONLY = {"rules": [{"type": "ip_addr", "value": "192.0.2.10"}]}


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class Bench:
    clock: HandClock
    world: World
    cloud: Cloud
    url: str
    http: aiohttp.ClientSession
    pydo: Any

    async def call(self, method: Callable[..., Any], *args: object, **kwargs: object) -> Any:
        return await asyncio.to_thread(method, *args, **kwargs)

    def wait(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)

    async def status(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        async with self.http.request(method, f"{self.url}/v2{path}", json=body) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = HandClock()
    world = World(clock=clock)
    app = web.Application()
    app.add_subapp("/digitalocean", digitalocean.application(world))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with TestServer(app) as server, aiohttp.ClientSession(headers=headers) as http:
        url = str(server.make_url("/digitalocean")).rstrip("/")
        # pydo's own policy refuses plain http; this one sends the same header.
        policy = AzureKeyCredentialPolicy(AzureKeyCredential(TOKEN), "Authorization", prefix="Bearer")
        api = pydo.Client(token=TOKEN, endpoint=url, authentication_policy=policy, retry_total=0)
        assert isinstance(world.cloud, Cloud)
        yield Bench(clock, world, world.cloud, url, http, api)
        await asyncio.to_thread(api.close)


async def test_only_the_primary_takes_writes_at_first(bench: Bench) -> None:
    clusters = await bench.call(bench.pydo.databases.list_clusters)
    assert [(db["id"], db["region"]) for db in clusters["databases"]] == [("db-nyc2", "nyc2")]
    replicas = await bench.call(bench.pydo.databases.list_replicas, "db-nyc2")
    assert [(r["name"], r["region"], r["status"]) for r in replicas["replicas"]] == [("db-sfo3", "sfo3", "online")]
    assert bench.cloud.writable() == {"db-nyc2"}


async def test_fence_then_promote_never_has_two_writers(bench: Bench) -> None:
    await bench.call(bench.pydo.databases.update_firewall_rules, "db-nyc2", BASTION_ONLY)
    assert bench.cloud.fenced("db-nyc2")
    assert bench.cloud.writable() == set()
    await bench.call(bench.pydo.databases.promote_replica, "db-nyc2", "db-sfo3")
    bench.wait(2.9)
    replicas = await bench.call(bench.pydo.databases.list_replicas, "db-nyc2")
    assert replicas["replicas"][0]["status"] == "forking"
    assert bench.cloud.writable() == set()
    bench.wait(0.2)
    assert bench.cloud.writable() == {"db-sfo3"}
    clusters = await bench.call(bench.pydo.databases.list_clusters)
    assert [db["id"] for db in clusters["databases"]] == ["db-nyc2", "db-sfo3"]
    assert (await bench.call(bench.pydo.databases.list_replicas, "db-nyc2"))["replicas"] == []
    assert bench.cloud.primaries() == {"db-nyc2": "nyc2", "db-sfo3": "sfo3"}


async def test_promoting_without_a_fence_is_a_split_brain(bench: Bench) -> None:
    bench.cloud.promote("db-nyc2", "db-sfo3")
    bench.wait(3)
    assert bench.cloud.writable() == {"db-nyc2", "db-sfo3"}


async def test_no_rules_at_all_is_no_fence(bench: Bench) -> None:
    await bench.call(bench.pydo.databases.update_firewall_rules, "db-nyc2", {"rules": []})
    assert not bench.cloud.fenced("db-nyc2")
    assert bench.cloud.writable() == {"db-nyc2"}


async def test_the_firewall_is_replaced_whole_and_keeps_known_rules(bench: Bench) -> None:
    before = (await bench.call(bench.pydo.databases.list_firewall_rules, "db-nyc2"))["rules"]
    assert [(rule["type"], rule["value"]) for rule in before] == [
        ("k8s", "k8s-nyc2"),
        ("k8s", "k8s-sfo3"),
        ("ip_addr", "192.0.2.10"),
    ]
    await bench.call(bench.pydo.databases.update_firewall_rules, "db-nyc2", {"rules": before[1:]})
    after = (await bench.call(bench.pydo.databases.list_firewall_rules, "db-nyc2"))["rules"]
    assert [rule["uuid"] for rule in after] == [rule["uuid"] for rule in before[1:]]
    status, body = await bench.status("PUT", "/databases/db-nyc2/firewall", {"rules": [{"type": "moon", "value": "x"}]})
    assert (status, body["id"]) == (422, "unprocessable_entity")


async def test_a_promotion_is_asked_for_once(bench: Bench) -> None:
    assert (await bench.status("PUT", "/databases/db-nyc2/replicas/db-sfo3/promote"))[0] == 204
    assert (await bench.status("PUT", "/databases/db-nyc2/replicas/db-sfo3/promote"))[0] == 422
    bench.wait(3)
    assert (await bench.status("PUT", "/databases/db-nyc2/replicas/db-sfo3/promote"))[0] == 404


async def test_a_dead_region_takes_no_writes_and_freezes_the_lag(bench: Bench) -> None:
    bench.cloud.lag = 12.0
    bench.world.faults.start("region_down", "nyc2")
    frozen = bench.cloud.lag
    assert bench.cloud.writable() == set()
    bench.wait(47)
    assert bench.cloud.lag == frozen
    bench.world.faults.clear()
    assert bench.cloud.lag == pytest.approx(12, rel=0.3)
    assert bench.cloud.lag != frozen


async def test_a_promotion_into_a_dead_region_does_not_finish(bench: Bench) -> None:
    bench.cloud.promote("db-nyc2", "db-sfo3")
    bench.world.faults.start("region_down", "sfo3")
    bench.wait(60)
    assert bench.cloud.primaries() == {"db-nyc2": "nyc2"}


async def test_a_new_replica_takes_a_while(bench: Bench) -> None:
    body = {"name": "db-nyc2-b", "region": "nyc2", "size": "db-s-2vcpu-4gb"}
    status, made = await bench.status("POST", "/databases/db-nyc2/replicas", body)
    assert (status, made["replica"]["status"]) == (201, "creating")
    assert (await bench.status("POST", "/databases/db-nyc2/replicas", body))[0] == 422
    bench.wait(5)
    _, found = await bench.status("GET", "/databases/db-nyc2/replicas/db-nyc2-b")
    assert found["replica"]["status"] == "online"
    assert (await bench.status("DELETE", "/databases/db-nyc2/replicas/db-nyc2-b"))[0] == 204


async def test_the_record_steers_the_traffic_and_needs_its_type(bench: Bench) -> None:
    assert bench.cloud.traffic() == "nyc2"
    found = await bench.call(bench.pydo.domains.list_records, "dept.example", name="api.dept.example", type="A")
    assert [(record["id"], record["data"], record["ttl"]) for record in found["domain_records"]] == [
        (42, "203.0.113.10", 60)
    ]
    body = {"type": "A", "data": "198.51.100.10"}
    answer = await bench.call(bench.pydo.domains.patch_record, "dept.example", 42, body)
    assert answer["domain_record"]["priority"] is None
    assert bench.cloud.traffic() == "sfo3"
    status, _ = await bench.status("PATCH", "/domains/dept.example/records/42", {"data": "203.0.113.10"})
    assert status == 422
    await bench.status("PATCH", "/domains/dept.example/records/42", {"type": "A", "data": "192.0.2.99"})
    assert bench.cloud.traffic() == ""


async def test_the_uptime_check_follows_the_traffic(bench: Bench) -> None:
    async def state() -> set[str]:
        found = await bench.call(bench.pydo.uptime.get_check_state, "check-api")
        return {region["status"] for region in found["state"]["regions"].values()}

    assert await state() == {"UP"}
    bench.world.faults.start("region_down", "nyc2")
    assert await state() == {"DOWN"}
    await bench.status("PATCH", "/domains/dept.example/records/42", {"type": "A", "data": "198.51.100.10"})
    assert await state() == {"UP"}


async def test_an_update_of_a_load_balancer_resets_what_it_leaves_out(bench: Bench) -> None:
    found = (await bench.call(bench.pydo.load_balancers.get, "lb-nyc2"))["load_balancer"]
    assert (found["ip"], found["region"]["slug"], found["enable_backend_keepalive"]) == ("203.0.113.10", "nyc2", True)
    body = {"name": "lb-nyc2", "region": "nyc2", "forwarding_rules": found["forwarding_rules"], "droplet_ids": [1]}
    answer = (await bench.call(bench.pydo.load_balancers.update, "lb-nyc2", body))["load_balancer"]
    assert (answer["droplet_ids"], answer["ip"], answer["enable_backend_keepalive"]) == ([1], "203.0.113.10", False)
    assert answer["health_check"]["path"] == "/"
    status, _ = await bench.status("PUT", "/load_balancers/lb-nyc2", body | {"tag": "web"})
    assert status == 422
    status, _ = await bench.status("PUT", "/load_balancers/lb-nyc2", body | {"region": found["region"]})
    assert status == 422


async def test_a_node_pool_grows_over_time(bench: Bench) -> None:
    clusters = (await bench.call(bench.pydo.kubernetes.list_clusters))["kubernetes_clusters"]
    assert [(c["id"], c["node_pools"][0]["count"]) for c in clusters] == [("k8s-nyc2", 3), ("k8s-sfo3", 3)]
    body = {"name": "pool-a", "count": 5}
    answer = await bench.call(bench.pydo.kubernetes.update_node_pool, "k8s-sfo3", "pool-sfo3", body)
    states = [node["status"]["state"] for node in answer["node_pool"]["nodes"]]
    assert states == ["running"] * 3 + ["provisioning"] * 2
    bench.wait(4)
    _, found = await bench.status("GET", "/kubernetes/clusters/k8s-sfo3/node_pools/pool-sfo3")
    assert [node["status"]["state"] for node in found["node_pool"]["nodes"]] == ["running"] * 5
    assert isinstance(found["node_pool"]["nodes"][0]["droplet_id"], str)
    assert (await bench.status("PUT", "/kubernetes/clusters/k8s-sfo3/node_pools/pool-sfo3", {"count": 5}))[0] == 422


async def test_lists_are_paged_by_links(bench: Bench) -> None:
    seen: list[str] = []
    body: dict[str, Any] = {}
    url = f"{bench.url}/v2/sizes?per_page=2"
    while url:
        async with bench.http.get(url) as answer:
            body = await answer.json()
        seen += [size["slug"] for size in body["sizes"]]
        url = body["links"].get("pages", {}).get("next", "")
    assert len(seen) == len(set(seen)) == body["meta"]["total"]
    assert isinstance(body["sizes"][0]["price_monthly"], float)


async def test_money_is_text_and_the_running_month_a_preview(bench: Bench) -> None:
    balance = await bench.call(bench.pydo.balance.get)
    assert isinstance(balance["month_to_date_usage"], str)
    invoices = await bench.call(bench.pydo.invoices.list)
    assert [invoice["invoice_period"] for invoice in invoices["invoices"]] == ["2026-10", "2026-09"]
    assert invoices["invoice_preview"]["invoice_period"] == "2026-11"
    assert invoices["invoice_preview"]["amount"] == balance["month_to_date_usage"]
    items = await bench.call(bench.pydo.invoices.get_by_uuid, "preview")
    assert {item["group_description"] for item in items["invoice_items"]} == {"api", "platform", "web"}


async def test_what_is_billed_is_there_and_the_newest_volume_is_not_billed_yet(bench: Bench) -> None:
    """By the hour, 672 of them at most: then a resource has cost its price of the month."""
    listed = await bench.call(bench.pydo.invoices.list)
    items = await bench.call(bench.pydo.invoices.get_by_uuid, listed["invoice_preview"]["invoice_uuid"])
    billed = {item["resource_uuid"]: item for item in items["invoice_items"]}
    balancer = billed["lb-nyc2"]
    hours = int(balancer["duration"])
    assert float(balancer["amount"]) == pytest.approx(12 * min(1, hours / 672), abs=0.01)
    volumes = (await bench.call(bench.pydo.volumes.list))["volumes"]
    assert [(each["id"], each["region"]["slug"], each["size_gigabytes"]) for each in volumes] == [
        ("volume-nyc2", "nyc2", 100), ("volume-new", "sfo3", 20),
    ]  # fmt: skip
    assert "volume-nyc2" in billed
    assert "volume-new" not in billed


async def test_refusals_name_a_word_and_a_request(bench: Bench) -> None:
    for method, path in (("GET", "/databases/nope"), ("GET", "/x"), ("GET", "/uptime/checks/nope/state")):
        status, body = await bench.status(method, path)
        assert (status, body["id"]) == (404, "not_found")
        assert body["request_id"]
    async with bench.http.get(f"{bench.url}/v2/account", headers={"Authorization": "Bearer x"}) as answer:
        assert (answer.status, (await answer.json())["id"]) == (401, "Unauthorized")
        assert "ratelimit-remaining" in answer.headers


async def test_an_exhausted_limit_is_429(bench: Bench) -> None:
    bench.world.faults.start("ratelimit", "digitalocean")
    with pytest.raises(HttpResponseError) as caught:
        await bench.call(bench.pydo.account.get)
    assert caught.value.status_code == 429
    async with bench.http.get(f"{bench.url}/v2/account") as answer:
        assert (answer.headers["ratelimit-remaining"], answer.headers["Retry-After"]) == ("0", "2")
