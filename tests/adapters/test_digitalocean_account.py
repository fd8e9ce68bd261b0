"""The account of the simulated DigitalOcean, recorded answers, and tokens that may not read everything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.adapters.digitalocean.account import DigitaloceanAccount
from bot.adapters.digitalocean.client import open_api
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.domain.costs import Kind, Pool
from bot.domain.errors import TemporaryError
from bot.simulator.kubernetes.objects import NODES, node
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings

D = Decimal
FIXTURES = Path(__file__).parents[1] / "fixtures" / "digitalocean"
CLUSTERS = "/v2/kubernetes/clusters"
EMPTY = {
    "/v2/sizes": {"sizes": []},
    "/v2/kubernetes/clusters": {"kubernetes_clusters": []},
    "/v2/load_balancers": {"load_balancers": []},
    "/v2/volumes": {"volumes": []},
    "/v2/databases": {"databases": []},
    "/v2/customers/my/balance": {
        "month_to_date_usage": "11.21", "account_balance": "12.23", "month_to_date_balance": "23.44",
        "generated_at": "2026-11-24T08:01:12Z",
    },
    "/v2/customers/my/invoices": {"invoices": [], "invoice_preview": None},
}  # fmt: skip
"""An account with nothing in it."""


@asynccontextmanager
async def account(url: str) -> AsyncIterator[DigitaloceanAccount]:
    async with open_api(DigitaloceanSettings(token=SecretStr("dop_v1_sim"), api_url=url)) as api:
        yield DigitaloceanAccount(api)


@dataclass
class Bench:
    simulation: Simulation
    account: DigitaloceanAccount


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0)) as running, account(f"{running.url}/digitalocean") as found:
        yield Bench(running, found)


async def test_pools_and_their_prices(bench: Bench) -> None:
    found = (await bench.account.inventory()).pools
    assert found == tuple(
        Pool(f"dept-{slug}", f"k8s-{slug}", slug, "pool-a", "s-4vcpu-8gb", 3, 4.0, 8.0, D("48.0"))
        for slug in ("nyc2", "sfo3")
    )


async def test_the_clouds_nodes_are_those_of_the_clusters(bench: Bench) -> None:
    cloud: Any = bench.simulation.world.cloud
    names = {each.name for cluster in cloud.clusters.values() for pool in cluster.pools for each in pool.nodes}
    nodes = [node(slug, number) for slug in ("nyc2", "sfo3") for number in range(1, NODES + 1)]
    assert names == {each["metadata"]["name"] for each in nodes}
    sizes = {pool.size for cluster in cloud.clusters.values() for pool in cluster.pools}
    assert sizes == {each["metadata"]["labels"]["node.kubernetes.io/instance-type"] for each in nodes}


async def test_what_was_billed_has_a_price(bench: Bench) -> None:
    """Databases, replicas, load balancers and volumes have none in the API; the newest volume is on no bill yet."""
    found = {asset.ident: (asset.kind, asset.monthly) for asset in (await bench.account.inventory()).assets}
    prices = {ident: None if price is None else round(price) for ident, (_, price) in found.items()}
    assert prices == {
        "db-nyc2": 122, "db-sfo3": 122, "lb-nyc2": 12, "lb-sfo3": 12, "volume-nyc2": 10, "volume-new": None,
    }  # fmt: skip
    assert found["db-sfo3"][0] is Kind.DATABASE


async def test_the_bill(bench: Bench) -> None:
    told = (await bench.account.inventory()).account
    assert told is not None
    assert [amount for _, amount in told.invoices] == [D("561.00"), D("548.40")]
    assert told.used > 0


async def test_nobody_answers(bench: Bench) -> None:
    bench.simulation.world.faults.start("error", "digitalocean")
    with pytest.raises(TemporaryError, match="tells nothing of the account"):
        await bench.account.inventory()


# Answers of our own making.


@asynccontextmanager
async def scripted(
    answers: dict[str, Any], refuse: Callable[[str], int] = lambda _: 0
) -> AsyncIterator[DigitaloceanAccount]:
    async def answer(request: web.Request) -> web.Response:
        if status := refuse(request.path):
            return web.json_response({"id": "forbidden", "message": "You are not authorized"}, status=status)
        found = answers[request.path]
        page = int(request.query.get("page", "1"))
        return web.json_response(found[page - 1] if isinstance(found, list) else found)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server, account(str(server.make_url(""))) as found:
        yield found


async def test_a_token_without_a_scope_tells_the_rest() -> None:
    async with scripted(EMPTY, lambda path: 403 if path in {"/v2/volumes", "/v2/databases"} else 0) as found:
        assert (await found.inventory()).refused == ("volumes", "databases")


async def test_every_page_is_read() -> None:
    """The second page has the size; a pool of a size that is on no page has no price, not the price zero."""

    def size(slug: str) -> dict[str, Any]:
        return {"slug": slug, "vcpus": 2, "memory": 4096, "price_monthly": 24.0}

    pools = [{"name": slug, "size": slug, "count": 2} for slug in ("first", "second", "gone")]
    pages = [
        {"sizes": [size("first")], "links": {"pages": {"next": "https://api.digitalocean.com/v2/sizes?page=2"}}},
        {"sizes": [size("second")], "links": {}},
    ]
    cluster = {"id": "1", "name": "shop", "region": "ams3", "node_pools": pools, "ha": True}
    answers = EMPTY | {"/v2/sizes": pages, "/v2/kubernetes/clusters": {"kubernetes_clusters": [cluster]}}
    async with scripted(answers) as found:
        told = await found.inventory()
    assert [(pool.name, pool.monthly) for pool in told.pools] == [("first", D(24)), ("second", D(24)), ("gone", None)]
    assert [(asset.kind, asset.ident, asset.monthly) for asset in told.assets] == [(Kind.CONTROL, "shop-ha", None)]


@pytest.mark.parametrize(
    ("items", "monthly"),
    [
        ([("12.00", "672")], D(12)),
        ([("12.00", "744")], D(12)),  # more hours than are billed
        ([("6.00", "336")], D(12)),
        ([("6.00", "336"), ("3.00", "336")], D(18)),  # two lines of one resource: its storage, say
        ([("0.10", "5")], None),  # too little to tell
        ([("nonsense", "672")], None),
        ([("12.00", "nonsense")], None),
    ],
)  # fmt: skip
async def test_the_price_of_what_was_billed(items: list[tuple[str, str]], monthly: Decimal | None) -> None:
    billed = [
        {"resource_uuid": "lb", "amount": amount, "duration": duration, "duration_unit": "Hours"}
        for amount, duration in items
    ]
    answers = EMPTY | {
        "/v2/load_balancers": {"load_balancers": [{"id": "lb", "name": "lb", "region": {"slug": "ams3"}}]},
        "/v2/customers/my/invoices": {"invoices": [{"invoice_uuid": "u", "invoice_period": "2026-10", "amount": "1"}]},
        "/v2/customers/my/invoices/u": {"invoice_items": billed},
    }
    async with scripted(answers) as found:
        (asset,) = (await found.inventory()).assets
    assert (asset.region, asset.monthly) == ("ams3", monthly)


async def test_recorded_answers() -> None:
    def body(name: str) -> Any:
        found = json.loads((FIXTURES / name / "body.json").read_bytes())
        return found | {"links": {}}

    answers = EMPTY | {
        "/v2/customers/my/balance": json.loads((FIXTURES / "balance" / "body.json").read_bytes()),
        "/v2/customers/my/invoices": body("invoices"),
        "/v2/kubernetes/clusters": body("kubernetes-clusters"),
        "/v2/sizes": body("sizes"),
    }
    for uuid in ("22737513-0ea7-4206-8ceb-98a575af7681", "1afe95e6-0958-4eb0-8d9a-9c5060d3ef03"):
        answers[f"/v2/customers/my/invoices/{uuid}"] = {"invoice_items": []}
    async with scripted(answers) as found:
        told = await found.inventory()
    assert told.refused == ()
    assert told.pools == (
        Pool("shop-prod", "bd5f5959-5e1e-4205-a714-a914373942af", "ams3", "workers", "s-2vcpu-4gb", 3, 2.0, 4.0, D(24)),
    )
    assert told.account is not None
    assert (told.account.used, told.account.balance) == (D("11.21"), D("12.23"))
    assert told.account.invoices == (("2026-10", D("312.34")), ("2026-09", D("298.45")))


@pytest.mark.parametrize(
    ("path", "body", "refused"),
    [
        ("/v2/databases", {"databases": [{"name": "no id"}]}, "databases"),
        ("/v2/volumes", {"volumes": None}, "volumes"),
        ("/v2/volumes", [{"volumes": []}], None),
        ("/v2/customers/my/balance", {"month_to_date_usage": "a lot"}, "billing"),
        ("/v2/customers/my/balance", {}, "billing"),
        ("/v2/customers/my/invoices", {"invoices": [{}]}, "billing"),
    ],
)
async def test_a_part_that_cant_be_read_is_missing_and_said(path: str, body: object, refused: str | None) -> None:
    async with scripted(EMPTY | {path: body}) as found:
        assert (await found.inventory()).refused == ((refused,) if refused else ())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/sizes", {"sizes": [{"vcpus": 2}]}),
        ("/v2/kubernetes/clusters", {"kubernetes_clusters": [{"node_pools": [{"name": "no size"}]}]}),
        (
            "/v2/kubernetes/clusters",
            {"kubernetes_clusters": [{"node_pools": [{"name": "x", "size": "s", "count": "?"}]}]},
        ),
    ],
)
async def test_machines_that_cant_be_read_are_no_answer(path: str, body: object) -> None:
    async with scripted(EMPTY | {path: body}) as found:
        with pytest.raises(TemporaryError, match="its account can't be read"):
            await found.inventory()
