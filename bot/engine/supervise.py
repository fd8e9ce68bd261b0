"""Supervision: work that must go on for ever, whatever it stumbles over."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.errors import TemporaryError
from bot.engine.meters import Meters
from bot.ports.clock import Clock

log = logging.getLogger(__name__)
FIRST, LAST = 1.0, 60.0
STORE_LAST = 5.0
"""Seconds between two tries on a store that is away: once it is back, nothing should wait long."""
T = TypeVar("T")


async def forever(name: str, work: Callable[[], Awaitable[None]], clock: Clock, meters: Meters) -> None:
    """Run *work* again whenever it ends or fails, a little later each time: one dependency down stops nothing else."""
    wait = FIRST
    while True:
        began = clock.now()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next try may do better
            meters.up.labels(name).set(0)
            log.warning("dependency failed", extra={"dependency": name, "error": str(error) or type(error).__name__})
        if (clock.now() - began).total_seconds() > LAST:
            wait = FIRST
        await clock.sleep(wait)
        wait = min(LAST, wait * 2)


async def patiently(name: str, work: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """The result of *work*, tried until the store it needs is there: for what must not be given up."""
    wait = FIRST
    while True:
        try:
            return await work()
        except TemporaryError as error:
            log.warning("waiting for the store", extra={"for": name, "error": str(error)})
        await clock.sleep(wait)
        wait = min(STORE_LAST, wait * 2)


async def every(seconds: float, name: str, work: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run *work* each *seconds*; a failure is logged and the next round comes all the same."""
    while True:
        try:
            await work()
        except TemporaryError as error:  # another round will do: a traceback each time would drown the log
            log.warning("schedule waits", extra={"schedule": name, "error": str(error)})
        except Exception:
            log.exception("schedule failed", extra={"schedule": name})
        await clock.sleep(seconds)
