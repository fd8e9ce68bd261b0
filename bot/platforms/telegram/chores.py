"""Small things that nobody waits for: the end of a press, a file that follows its message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.domain.errors import PultError

log = logging.getLogger(__name__)


class Chores:
    """Runs them beside everything else. A failure is logged; nothing depends on them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.create_task(_done(name, work), name=f"telegram {name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settled(self) -> None:
        """Return once everything started so far is done."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Drop what is not done."""
        for task in self._running:
            task.cancel()
        await self.settled()


async def _done(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except PultError as error:
        log.warning("not done", extra={"chore": name, "error": str(error)})
    except Exception:
        log.exception("not done", extra={"chore": name})
