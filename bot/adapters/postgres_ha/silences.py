"""Since when a server takes none of pult's writes: what a standby may lack is counted up to then."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime

from bot.domain.errors import UnavailableError
from bot.ports.clock import Clock
from bot.ports.store import Store

log = logging.getLogger(__name__)


class Silences:
    """Kept in the store, too, at its begin and end: a pult that starts in the middle of an outage goes by that.

    *pair*: which servers they are, where there are more than production's.
    """

    def __init__(self, store: Store, clock: Clock, pair: str = "") -> None:
        self._store, self._clock, self._pair = store, clock, pair
        self._since: dict[str, datetime] = {}
        self._heard: set[str] = set()

    async def fell(self, region: str, *, after: datetime | None = None) -> datetime:
        """The server in *region* did not take a write just now; since when that is so.

        *after*: a time at which it is known to have still taken one; a silence from before then is over.
        """
        since = self._since.get(region) or await self._remembered(region)
        if since is None or (after is not None and since < after):
            since = self._clock.now()
            log.warning("the database server in %s takes no heartbeat", region)
            await self._remember(region, since)
        self._since[region] = since
        return since

    async def spoke(self, region: str) -> None:
        """The server in *region* took a write, or is a standby that answers."""
        if region in self._heard and region not in self._since:
            return
        if self._since.pop(region, None) or await self._remembered(region):
            await self._remember(region, "")
        self._heard.add(region)

    async def _remembered(self, region: str) -> datetime | None:
        """Only of a time before this process heard it: later, this process knows better."""
        if region in self._heard:
            return None
        with suppress(UnavailableError):
            mark = await self._store.read(lambda tx: tx.mark(self._name(region)))
            return mark if isinstance(mark, datetime) else None
        return None

    async def _remember(self, region: str, value: object) -> None:
        with suppress(UnavailableError):  # then this process remembers it alone
            await self._store.write(lambda tx: tx.put_mark(self._name(region), value))

    def _name(self, region: str) -> str:
        return f"silent database {self._pair} {region}" if self._pair else f"silent database {region}"
