"""Retention: what is over and old is forgotten, a little at a time, so that no webhook waits for it."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.retention import AGAIN, STEP, pause
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store


def duty(store: Store, clock: Clock, kept: timedelta) -> Periodic:
    """Forget what is older than *kept*. The audit chain and operations stay."""

    async def run() -> None:
        began = clock.now()
        before = began - kept
        while (await store.write(lambda tx: tx.forget(before, STEP))).more:
            await clock.sleep(pause(clock.now() - began).total_seconds())
            began = clock.now()

    return Periodic("prune", AGAIN.total_seconds(), run)
