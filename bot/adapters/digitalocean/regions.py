"""Database and Traffic over DigitalOcean: a managed PostgreSQL with a read replica, and a DNS record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from bot.adapters.digitalocean.client import Api
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Way
from bot.domain.phrases import Code
from bot.ports.regions import Replication

FENCE_RULE = {"type": "ip_addr", "value": "192.0.2.1"}
"""The only source the fenced primary trusts: an address that nobody has (RFC 5737). An empty list would mean open."""

UNDER_WAY = "forking"
"""Status of a replica that is on its way to be a primary of its own (digitalocean/openapi, database_replica_read)."""

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Lag = Callable[[], Coroutine[Any, Any, float | None]]
"""Seconds the standby is behind, or None: the API itself does not tell."""


class ManagedPostgres:
    """The fence is the primary's firewall: only FENCE_RULE is left in it."""

    def __init__(self, api: Api, primary: str, standby: str, lag: Lag) -> None:
        self._api, self._primary, self._standby, self._lag = api, primary, standby, lag

    async def replication(self, way: Way) -> Replication:
        """Replica, firewall and lag, asked at once. A promoted replica leaves the primary's list."""
        rules = self._api.call(lambda c: c.databases.list_firewall_rules(self._primary))
        replicas, trusted, lag = await _together(self._replicas(), rules, self._lag())
        promoted = self._standby not in replicas and await self._is_primary()
        return Replication(self._primary, self._standby, lag, promoted, _fenced(trusted))

    async def fence(self, way: Way) -> None:
        """Replace every trusted source by one that nobody has."""
        body = {"rules": [FENCE_RULE]}
        await self._api.call(lambda c: c.databases.update_firewall_rules(self._primary, body=body))

    async def promote(self, way: Way) -> None:
        """204 means accepted, not finished. One that is under way, or done, is not asked for again."""
        replicas = await self._replicas()
        if replicas.get(self._standby) == UNDER_WAY or (self._standby not in replicas and await self._is_primary()):
            return
        await self._api.call(lambda c: c.databases.promote_replica(self._primary, self._standby))

    async def _replicas(self) -> Mapping[str, str]:
        """Status by name."""
        answer = await self._api.call(lambda c: c.databases.list_replicas(self._primary))
        return {each["name"]: each.get("status", "") for each in (answer or {}).get("replicas") or ()}

    async def _is_primary(self) -> bool:
        answer = await self._api.call(lambda c: c.databases.list_clusters())
        clusters = (answer or {}).get("databases") or ()
        return any(
            self._standby in {each.get("id"), each.get("name")} and each.get("status") == "online" for each in clusters
        )


class DnsTraffic:
    """One record of a zone; ``addresses`` maps a cluster's name to what the record holds when traffic goes there."""

    def __init__(self, api: Api, domain: str, record: int, addresses: Mapping[str, str]) -> None:
        self._api, self._domain, self._record, self._addresses = api, domain, record, addresses

    async def region(self) -> str:
        """Whose address the record holds."""
        data = (await self._found())["data"]
        return next((region for region, address in self._addresses.items() if address == data), "")

    async def shift(self, region: str) -> float:
        """Point the record at *region*; its TTL in seconds, for which resolvers remember the old answer."""
        address = self._addresses.get(region)
        if address is None:
            raise UserError("No address is configured for {region}.", region=Code(region))
        found = await self._found()
        if found["data"] != address:
            body = {"type": found["type"], "data": address}
            await self._api.call(lambda c: c.domains.patch_record(self._domain, self._record, body=body))
        return float(found.get("ttl") or 1800)

    async def _found(self) -> Mapping[str, Any]:
        answer = await self._api.call(lambda c: c.domains.get_record(self._domain, self._record))
        record = (answer or {}).get("domain_record")
        if not isinstance(record, dict):
            raise TemporaryError("DigitalOcean does not answer (no record in its answer)")
        return record


async def _together(
    one: Coroutine[Any, Any, A], two: Coroutine[Any, Any, B], three: Coroutine[Any, Any, C]
) -> tuple[A, B, C]:
    """All three at once. The first failure, as it was raised: callers know single errors, not groups of them."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second, third = group.create_task(one), group.create_task(two), group.create_task(three)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return first.result(), second.result(), third.result()


def _fenced(answer: Mapping[str, object] | None) -> bool:
    rules = (answer or {}).get("rules")
    if not isinstance(rules, list) or not rules:  # an empty list is open to the world
        return False
    return all(isinstance(rule, dict) and rule.get("value") == FENCE_RULE["value"] for rule in rules)


@asynccontextmanager
async def open_api(settings: DigitaloceanSettings) -> AsyncGenerator[Api, None]:
    """Connects at the first call."""
    api = Api(settings)
    try:
        yield api
    finally:
        api.close()
