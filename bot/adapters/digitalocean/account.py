"""The Cloud port over DigitalOcean: what the account holds, what it costs, and the bill.

The API tells prices of machine sizes only. What a database, a load balancer or a volume costs is taken from what was
billed for it; before it stood on a bill nobody knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from bot.adapters.digitalocean.client import NONSENSE, Api
from bot.domain.costs import Account, Asset, Inventory, Kind, Pool
from bot.domain.errors import TemporaryError, UserError
from bot.domain.money import exact

PER_PAGE: Final = 200
"""Largest page (digitalocean/openapi, shared/parameters/per_page)."""
PAGES: Final = 50
"""Pages that are read at most."""
CAP: Final = Decimal(672)
"""Hours of a month that are billed at most: what was there longer was billed its monthly price
(digitalocean/openapi, sizes/models/size.yml: price_hourly is a 672nd of price_monthly)."""
DAY: Final = Decimal(24)
"""Hours that something must have been billed for before the bill tells its price."""
Item = Mapping[str, Any]


class DigitaloceanAccount:
    """Every part is asked for on its own: a token without the scope of one still tells the others."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def inventory(self) -> Inventory:
        """See the port."""
        found = await self._parts({
            "sizes": lambda: self._pages("sizes", lambda c, page: c.sizes.list(**page)),
            "clusters": lambda: self._pages("kubernetes_clusters", lambda c, page: c.kubernetes.list_clusters(**page)),
            "load balancers": lambda: self._pages("load_balancers", lambda c, page: c.load_balancers.list(**page)),
            "volumes": lambda: self._pages("volumes", lambda c, page: c.volumes.list(**page)),
            "databases": self._databases,
            "billing": self._billing,
        })  # fmt: skip
        refused = tuple(name for name, part in found.items() if isinstance(part, Exception))
        if len(refused) == len(found):
            raise TemporaryError(f"DigitalOcean tells nothing of the account: {next(iter(found.values()))}")
        told: dict[str, Any] = {name: () if isinstance(part, Exception) else part for name, part in found.items()}
        try:
            return _read(told, refused)
        except NONSENSE as error:
            raise TemporaryError("DigitalOcean does not answer (its account can't be read)") from error

    async def _parts(self, parts: Mapping[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
        async def tried(ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - JSON, or why there is none
            try:
                return await ask()
            except (UserError, TemporaryError) as error:
                return error
            except NONSENSE:
                return TemporaryError("DigitalOcean does not answer (its account can't be read)")

        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(tried(ask)) for name, ask in parts.items()}
        return {name: task.result() for name, task in tasks.items()}

    async def _pages(self, key: str, ask: Callable[[Any, dict[str, int]], Any]) -> list[Item]:
        """All items under *key*, page by page."""
        found: list[Item] = []
        for page in range(1, PAGES + 1):
            answer = await self._page(ask, page)
            items = (answer or {}).get(key)
            if not isinstance(items, list):
                raise TemporaryError(f"DigitalOcean does not answer (no {key} in its answer)")
            found += (item for item in items if isinstance(item, dict))
            if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
                break
        return found

    async def _page(self, ask: Callable[[Any, dict[str, int]], Any], page: int) -> Any:  # noqa: ANN401 - JSON
        return await self._api.call(lambda c: ask(c, {"per_page": PER_PAGE, "page": page}))

    async def _databases(self) -> list[Item]:
        """Clusters and their read replicas, which are billed apart."""
        clusters = await self._pages("databases", lambda c, _: c.databases.list_clusters())
        found = list(clusters)
        for cluster in clusters:
            found += await self._replicas(cluster["id"])
        return found

    async def _replicas(self, ident: str) -> list[Item]:
        return await self._pages("replicas", lambda c, _: c.databases.list_replicas(ident))

    async def _billing(self) -> tuple[Account, Mapping[str, Decimal]]:
        balance = await self._api.call(lambda c: c.balance.get())
        listed = await self._api.call(lambda c: c.invoices.list(per_page=PER_PAGE))
        account = _account(balance or {}, listed or {})
        past = [invoice["invoice_uuid"] for invoice in (listed or {}).get("invoices") or ()][:1]
        running = [((listed or {}).get("invoice_preview") or {}).get("invoice_uuid")]
        billed: dict[str, Decimal] = {}
        for uuid in filter(None, (*past, *running)):  # the running month last: its prices are the newest
            billed |= dict(_billed(await self._items(uuid)))
        return account, billed

    async def _items(self, uuid: str) -> list[Item]:
        return await self._pages("invoice_items", lambda c, page: c.invoices.get_by_uuid(uuid, **page))


def _read(told: Mapping[str, Any], refused: tuple[str, ...]) -> Inventory:
    account, billed = told["billing"] or (None, {})
    sizes = {size["slug"]: size for size in told["sizes"]}
    pools = tuple(pool for cluster in told["clusters"] for pool in _pools(cluster, sizes))
    return Inventory(pools, tuple(_assets(told, billed)), account, refused)


def _pools(cluster: Item, sizes: Mapping[str, Item]) -> Iterator[Pool]:
    for pool in cluster.get("node_pools") or ():
        size = sizes.get(pool["size"], {})
        price = size.get("price_monthly")
        yield Pool(
            str(cluster.get("name", "")), str(cluster.get("id", "")), str(cluster.get("region", "")), pool["name"],
            pool["size"], int(pool["count"]), float(size.get("vcpus") or 0), float(size.get("memory") or 0) / 1024,
            _money(price) if price else None, bool(pool.get("auto_scale")),
        )  # fmt: skip


def _assets(told: Mapping[str, Sequence[Item]], billed: Mapping[str, Decimal]) -> Iterator[Asset]:
    """Everything beside machines; its price is what was billed for it."""
    for kind, name in ((Kind.BALANCER, "load balancers"), (Kind.VOLUME, "volumes"), (Kind.DATABASE, "databases")):
        for each in told[name]:
            ident = str(each.get("id", ""))
            region = each.get("region")
            slug = str(region.get("slug", "") if isinstance(region, dict) else region or "")
            size = each.get("size") or ""
            yield Asset(kind, ident, str(each.get("name", "")), slug, billed.get(ident), str(size))
    for cluster in told["clusters"]:
        if cluster.get("ha"):  # billed apart from the nodes
            ident = f"{cluster.get('name', '')}-ha"
            yield Asset(Kind.CONTROL, ident, ident, str(cluster.get("region", "")), billed.get(ident))


def _account(balance: Item, listed: Item) -> Account:
    try:
        at = datetime.fromisoformat(str(balance["generated_at"]))
        invoices = tuple((str(each["invoice_period"]), _money(each["amount"])) for each in listed.get("invoices") or ())
        return Account(_money(balance["month_to_date_usage"]), _money(balance["account_balance"]), at, invoices)
    except NONSENSE as error:
        raise TemporaryError("DigitalOcean does not answer (its bill can't be read)") from error


def _billed(items: Sequence[Item]) -> Iterator[tuple[str, Decimal]]:
    """What each resource costs a month, at the pace it was billed."""
    hours: dict[str, Decimal] = {}
    amounts: dict[str, Decimal] = {}
    for item in items:
        ident = str(item.get("resource_uuid") or item.get("resource_id") or "")
        if ident and str(item.get("duration_unit", "")).lower() == "hours":
            try:
                amounts[ident] = amounts.get(ident, Decimal(0)) + _money(item["amount"])
                hours[ident] = max(hours.get(ident, Decimal(0)), _money(item["duration"]))
            except (KeyError, InvalidOperation):
                continue
    for ident, billed in hours.items():
        if billed >= DAY:
            yield ident, exact(amounts[ident] / min(billed, CAP) * CAP)


def _money(value: object) -> Decimal:
    """Amounts are text in bills, numbers in prices. InvalidOperation: neither."""
    found = Decimal(str(value))
    if not found.is_finite():
        raise InvalidOperation
    return found
