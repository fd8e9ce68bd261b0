"""Retention: what is over and old is forgotten, a little at a time, so that no webhook waits for it."""

from __future__ import annotations

from datetime import timedelta

from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store

EVERY = 3600.0
AT_ONCE = 200
"""Rows of each kind in one commit."""
PAUSE = 0.25
"""Seconds between two commits: others' turn."""


def duty(store: Store, clock: Clock, kept: timedelta) -> Periodic:
    """Forget what is older than *kept*. The audit chain and operations stay."""

    async def run() -> None:
        before = clock.now() - kept
        while (await store.write(lambda tx: tx.forget(before, AT_ONCE))).more:
            await clock.sleep(PAUSE)

    return Periodic("prune", EVERY, run)
