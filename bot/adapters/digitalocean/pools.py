"""The Pools port over DigitalOcean's managed Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from bot.adapters.digitalocean.client import NONSENSE, Api, read
from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code
from bot.ports.pools import Pool

PER_PAGE = 200
Item = Mapping[str, Any]


class DigitaloceanPools:
    """*regions*: the cloud's region (slug) by cluster; *names*: its id or name there, where that is said.

    Else the cluster of that very name counts, else all of its region.
    """

    def __init__(self, api: Api, regions: Mapping[str, str], names: Mapping[str, str] | None = None) -> None:
        self._api, self._regions, self._names = api, regions, names or {}

    async def pools(self, region: str) -> tuple[Pool, ...]:
        """``limit``: what autoscaling and the account's quota of machines leave, each as far as it is told."""
        found = [pool for _, pool in await self._found(region)]
        free = await self._free()
        return read("node pools", lambda: tuple(_pool(each, free) for each in found))

    async def resize(self, region: str, pool: str, count: int) -> None:
        """Of one that scales itself the least number is raised: it would take the machines away again."""
        named = [(cluster, each) for cluster, each in await self._found(region) if each.get("name") == pool]
        if not named:
            raise UserError("{region} has no node pool {pool}.", region=region, pool=Code(pool))
        if len(named) > 1:
            raise UserError("{region} has several node pools {pool}.", region=region, pool=Code(pool))
        cluster, found = named[0]
        body = read("node pools", lambda: _wanted(found, count))
        if body is not None:
            await self._api.call(lambda c: c.kubernetes.update_node_pool(cluster, found["id"], body=body))

    async def _found(self, region: str) -> list[tuple[str, Item]]:
        """(id of the cluster, pool) of each."""
        slug = self._regions.get(region)
        if slug is None:
            raise UserError("No cluster {name} is configured.", name=Code(region))
        answer = await self._api.call(lambda c: c.kubernetes.list_clusters(per_page=PER_PAGE))
        named = self._names.get(region, "")
        return read("node pools", lambda: list(_of(answer["kubernetes_clusters"], named, region, slug)))

    async def _free(self) -> int | None:
        """Machines that the account may still start; None where nobody tells, which holds up nothing."""
        with suppress(UserError, TemporaryError, *NONSENSE):
            account = await self._api.call(lambda c: c.account.get())
            droplets = await self._api.call(lambda c: c.droplets.list(per_page=1))
            return max(int(account["account"]["droplet_limit"]) - int(droplets["meta"]["total"]), 0)
        return None


def _of(clusters: list[Item], named: str, region: str, slug: str) -> Iterator[tuple[str, Item]]:
    there = [each for each in clusters if each.get("region") == slug]
    own = [each for each in there if (named or region) in {each.get("name"), each.get("id")}]
    for cluster in own or ([] if named else there):
        yield from ((str(cluster["id"]), pool) for pool in cluster["node_pools"] or ())


def _pool(found: Item, free: int | None) -> Pool:
    count, scales = int(found["count"]), bool(found.get("auto_scale"))
    ready = sum(node["status"]["state"] == "running" for node in found.get("nodes") or ())
    ends = [int(found["max_nodes"])] if scales else []
    ends += [] if free is None else [count + free]
    return Pool(str(found["name"]), count, ready, scales, min(ends) if ends else None)


def _wanted(found: Item, count: int) -> Item | None:
    """The body that asks for *count*; None where there is nothing to ask. ``name`` and ``count`` are required."""
    have = int(found["count"])
    if not found.get("auto_scale"):
        return {"name": found["name"], "count": count} if count > have else None
    least, most = int(found["min_nodes"]), int(found["max_nodes"])
    if count > most:
        raise UserError(
            "{pool} scales itself to {most} machines at most, and {count} are needed.",
            pool=Code(str(found["name"])), most=most, count=count,
        )  # fmt: skip
    if count <= least:
        return None
    return {
        "name": found["name"], "count": max(have, count), "auto_scale": True, "min_nodes": count, "max_nodes": most,
    }  # fmt: skip
