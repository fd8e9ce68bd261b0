"""The heartbeat: a row that pult writes on a primary, and that its standby replays. It tells the lag in seconds."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from bot.adapters.postgres_ha import doors
from bot.adapters.postgres_ha.link import MissingError, ReadOnlyError, Server, Talk, connect
from bot.adapters.postgres_ha.seen import TIMELINE
from bot.domain.errors import PultError, TemporaryError
from bot.ports.clock import Clock

PERIOD: Final = 1.0
"""Seconds between two: what a lag is measured in."""
PATIENCE: Final = 5.0
"""Seconds for one, a new connection included: a server that needs longer takes no writes that are worth the name."""
BEAT: Final = f"""
INSERT INTO pult.heartbeat AS old (region, at, timeline) VALUES (%s, %s, {TIMELINE})
ON CONFLICT (region) DO UPDATE SET at = greatest(old.at, excluded.at), timeline = excluded.timeline
"""  # noqa: S608 - our own words


class Pulse:
    """Of one server, over a connection that is kept."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server, self._clock = server, clock
        self._talk: Talk | None = None
        self._turn = asyncio.Lock()

    async def beat(self) -> None:
        """Once. A standby that answers is well, too. TemporaryError: no answer; RefusedError: not for pult."""
        async with self._turn:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._beat()
            except (PultError, TimeoutError, asyncio.CancelledError) as error:
                await self._drop()
                if isinstance(error, TimeoutError):
                    region = self._server.region
                    raise TemporaryError(f"the database server in {region} takes no heartbeat in time") from error
                raise

    async def close(self) -> None:
        """The connection, if there is one."""
        await self._drop()

    async def _beat(self) -> None:
        talk = self._talk = self._talk or await connect(self._server)
        beat = (self._server.region, self._clock.now())
        try:
            with suppress(MissingError):
                await talk.rows(BEAT, *beat)
                return
            await doors.prepare(talk)
            await talk.rows(BEAT, *beat)
        except ReadOnlyError:
            return  # a standby

    async def _drop(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            await talk.close()
