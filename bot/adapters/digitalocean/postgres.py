"""The Database port over DigitalOcean's managed PostgreSQL, both ways.

A read replica is promoted into a cluster of its own; the old primary stays behind its fence. The way back begins with a
new replica of the new primary in the old region: a managed cluster can't be made a replica again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.adapters.digitalocean import firewall, lineage
from bot.adapters.digitalocean.client import Api, read
from bot.adapters.digitalocean.lineage import Family, Lineage, Server
from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Way
from bot.domain.phrases import Code
from bot.ports.regions import Replication

T = TypeVar("T")
Lag = Callable[[], Coroutine[Any, Any, float | None]]
"""Seconds the standby is behind, or None: the API itself does not tell."""


class ManagedPostgres:
    """*regions*: the cloud's region (slug) by the name of the cluster that is a way's end."""

    def __init__(self, api: Api, family: Family, regions: Mapping[str, str], lag: Lag) -> None:
        self._api, self._family, self._regions, self._lag = api, family, regions, lag

    async def replication(self, way: Way) -> Replication:
        """What there is, the firewalls of every primary in the source's region, and the lag, asked at once.

        A source whose primary was destroyed after the promotion is fenced: it takes no writes.
        """
        source, target = self._slug(way.source), self._slug(way.target)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(_caught(self._lineage()))
            lag = group.create_task(self._lag())
        found = asked.result()()
        held, standby = found.there(source), found.standby(target)
        fences = await self._every(self._rules(each) for each in held)
        promoted = found.promoted(target)
        waiting = found.current if promoted else standby
        return Replication(
            primary=held[-1].name if held else "",
            standby=waiting.name if waiting else "",
            lag=lag.result() if standby is not None and standby.online and not promoted else None,
            promoted=promoted,
            fenced=all(map(firewall.fenced, fences)) and (promoted or bool(held)),
            reachable=bool(held) and held[-1].online,
        )

    async def fence(self, way: Way) -> None:
        """Every primary in the source's region: what an earlier move left there must not wake up either."""
        found = await self._lineage()
        for server in found.there(self._slug(way.source)):
            rules = await self._rules(server)
            if not firewall.fenced(rules):
                await self._set(server, firewall.fence(rules))

    async def unfence(self, way: Way) -> None:
        """What the fence remembers; else what the standby trusts, which serves the same applications."""
        found, target = await self._lineage(), self._slug(way.target)
        if found.promoted(target) or found.under_way(target):
            raise UserError("{region} has the primary by now: two of them must not take writes.", region=way.target)
        server = found.serving(self._slug(way.source))
        if server is None or server.owner:
            raise UserError("DigitalOcean has no primary of this pair in {region}.", region=way.source)
        rules = await self._rules(server)
        if not firewall.fenced(rules):
            return
        standby = found.standby(target)
        trusted = firewall.remembered(rules) or firewall.open_rules(await self._rules(standby) if standby else ())
        if not trusted:  # an empty list would open it to the whole Internet
            raise UserError("Nobody knows which sources {name} trusted. Set them in DigitalOcean.", name=server.name)
        await self._set(server, trusted)

    async def promote(self, way: Way) -> None:
        """204 means accepted, not finished. One that is under way, or done, is not asked for again."""
        found, target = await self._lineage(), self._slug(way.target)
        if found.promoted(target) or found.under_way(target):
            return
        standby = found.standby(target)
        if standby is None:
            raise UserError("DigitalOcean has no replica of this pair in {region} to promote.", region=way.target)
        await self._api.call(lambda c: c.databases.promote_replica(standby.owner, standby.name))

    async def rejoin(self, way: Way) -> None:
        """A new replica of the source's primary, which trusts whom that one trusts: a new one may be open to all."""
        found, target = await self._lineage(), self._slug(way.target)
        primary = found.current
        if primary is None or primary.region != self._slug(way.source):
            raise UserError("DigitalOcean has no primary of this pair in {region}.", region=way.source)
        for old in found.there(target):
            if not firewall.fenced(await self._rules(old)):
                raise UserError("{name} is not fenced: it may still take writes.", name=Code(old.name))
        standby = found.standby(target) or await self._created(found, primary, target)
        trusted = firewall.open_rules(await self._rules(primary))
        if trusted and not firewall.open_rules(await self._rules(standby)):
            await self._set(standby, trusted)

    async def beats(self, region: str) -> bool:
        """By what DigitalOcean says of it: a managed server lets nobody look closer."""
        found = await self._lineage()
        server = found.serving(self._slug(region)) or next(reversed(found.there(self._slug(region))), None)
        return server is not None and server.online

    async def address(self, region: str) -> str:
        """The private one, which stays inside the region's network."""
        server = (await self._lineage()).serving(self._slug(region))
        if server is None or not server.address:
            raise UserError("DigitalOcean has no server of this pair in {region}.", region=region)
        return server.address

    async def check(self, way: Way) -> str:
        """What a move will need, by reads alone: no call tells what a token may change.

        UserError: there is no pair, or one server does not trust whom the other trusts, so that a promotion would shut
        these out, or let everybody in.
        """
        found = await self._lineage()
        sides = [found.serving(self._slug(region)) for region in (way.source, way.target)]
        pair = [each for each in sides if each is not None]
        if len(pair) < 2:
            raise UserError("DigitalOcean has no primary with a replica in {source} and {target}.",
                            source=way.source, target=way.target)  # fmt: skip
        rules = await self._every(map(self._rules, pair))
        for server, trusted, others in zip(pair, rules, reversed(rules), strict=True):
            if not trusted:
                raise UserError(
                    "{name} is open to the whole Internet. Set its trusted sources in DigitalOcean.",
                    name=Code(server.name),
                )
            if lacking := _lacking(trusted, others):
                raise UserError("{name} does not trust {sources}, as the other server of the pair does.",
                                name=Code(server.name), sources=lacking)  # fmt: skip
        standby, primary = sorted(pair, key=lambda each: not each.owner)
        return (
            f"{primary.name} and its replica {standby.name} trust the same sources; a move needs the scope "
            "database:update, the way back database:create"
        )

    async def _created(self, found: Lineage, primary: Server, region: str) -> Server:
        taken = [each.name for each in (*found.primaries, *found.replicas)]
        body: dict[str, Any] = {"name": self._family.free_name(region, taken), "region": region, "size": primary.size}
        body |= {"storage_size_mib": primary.storage} if primary.storage else {}
        answer = await self._api.call(lambda c: c.databases.create_replica(primary.ident, body=body))
        made = read("databases", lambda: lineage.replicas({"replicas": [answer["replica"]]}, primary)[0])
        return replace(made, ident=made.ident or made.name)

    async def _lineage(self) -> Lineage:
        answer = await self._api.call(lambda c: c.databases.list_clusters())
        found = Lineage(read("databases", lambda: lineage.clusters(answer, self._family)))
        current = found.current
        if current is None:
            raise UserError("DigitalOcean has no database {name}.", name=Code(self._family.primary))
        listed = await self._api.call(lambda c: c.databases.list_replicas(current.ident))
        every = read("databases", lambda: lineage.replicas(listed, current))
        return replace(found, replicas=tuple(each for each in every if self._family.has(each)))

    async def _rules(self, server: Server) -> tuple[firewall.Rule, ...]:
        answer = await self._api.call(lambda c: c.databases.list_firewall_rules(server.ident))
        return read("databases", lambda: firewall.rules_in(answer))

    async def _set(self, server: Server, rules: list[firewall.Rule]) -> None:
        body = {"rules": rules}
        await self._api.call(lambda c: c.databases.update_firewall_rules(server.ident, body=body))

    async def _every(self, asked: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_caught(each)) for each in asked]
        return [task.result()() for task in tasks]

    def _slug(self, region: str) -> str:
        slug = self._regions.get(region)
        if slug is None:
            raise UserError("No cluster {name} is configured.", name=Code(region))
        return slug


async def _caught(asked: Coroutine[Any, Any, T]) -> Callable[[], T]:
    """Its result, or its error, to be had when called: callers know single errors, not groups of them."""
    try:
        found = await asked
    except (UserError, TemporaryError) as error:
        failed = error
    else:
        return lambda: found

    def fail() -> T:
        raise failed

    return fail


def _lacking(rules: Sequence[firewall.Rule], others: Sequence[firewall.Rule]) -> str:
    """Which of *others* are not among *rules*."""
    known = {(rule["type"], rule["value"]) for rule in rules}
    missing = [rule for rule in firewall.open_rules(others) if (rule["type"], rule["value"]) not in known]
    return ", ".join(f"{rule['type']} {rule['value']}" for rule in missing)
