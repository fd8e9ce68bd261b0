"""The two servers as they are seen now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from bot.adapters.postgres_ha.link import DEADLINE, Server, Talk, first, talking
from bot.adapters.postgres_ha.seen import Seen, distinct, look
from bot.domain.errors import TemporaryError, UserError, ungrouped
from bot.domain.failover import Way
from bot.domain.phrases import Code

FRESH: Final = 35.0
"""Seconds for which a standby's word from its primary counts: an idle one is asked for a sign of life after half of
wal_receiver_timeout, 30 s (manual, "Replication")."""
HEARD: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming' "  # noqa: S608 - our own words
    f"AND last_msg_receipt_time > clock_timestamp() - interval '{FRESH:g} seconds')"
)


class Couple:
    """By region."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = {server.region: server for server in servers}

    @property
    def regions(self) -> tuple[str, ...]:
        """Both."""
        return tuple(self._servers)

    def server(self, region: str) -> Server:
        """UserError: none stands there."""
        found = self._servers.get(region)
        if found is None:
            raise UserError("No database server is configured in {region}.", region=Code(region))
        return found

    def talking(self, region: str, seconds: float = DEADLINE) -> AbstractAsyncContextManager[Talk]:
        """A conversation with the server in *region*."""
        return talking(self.server(region), seconds)

    async def seen(self, region: str) -> Seen:
        """TemporaryError: it does not answer. RefusedError: not to pult."""
        async with self.talking(region) as talk:
            return await look(talk)

    async def glimpsed(self, region: str) -> Seen | None:
        """As :meth:`seen`; None where that fails."""
        try:
            return await self.seen(region)
        except (TemporaryError, UserError):
            return None

    async def both(self, way: Way) -> tuple[Seen | None, Seen | None]:
        """Both at the same time. TemporaryError: neither answers. UserError: they are one server, or strangers."""
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                one, two = group.create_task(self.glimpsed(way.source)), group.create_task(self.glimpsed(way.target))
        source, target = one.result(), two.result()
        if source is None and target is None:
            raise TemporaryError(f"neither database server answers, in {way.source} nor in {way.target}")
        if source is not None and target is not None:
            distinct(way, source, target)
        return source, target

    async def heard_of(self, region: str) -> tuple[Seen, bool]:
        """The other server, and whether it streams from the one in *region*. TemporaryError: it does not answer."""
        other = next(each for each in self._servers if each != region)
        async with self.talking(other) as talk:
            return await look(talk), bool(first(await talk.rows(HEARD))[0])
