"""The guard before everything that a card can do without: a dead dependency costs one card its patience, not each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.breakers import Breaker
from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.ports.clock import Clock

T = TypeVar("T")
log = logging.getLogger(__name__)


class Guarded:
    """A breaker for each name. What refuses (UserError) answers, so it is asked again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    async def ask(self, name: str, work: Callable[[], Awaitable[T]], within: float) -> T:
        """See the port."""
        breaker = self._breakers.setdefault(name, Breaker())
        if not breaker.admits(self._clock.now()):
            raise TemporaryError(f"{name} did not answer a moment ago")
        try:
            async with asyncio.timeout(within):
                found = await work()
        except (TimeoutError, TemporaryError, PermanentError) as error:
            delay = error.delay if isinstance(error, TemporaryError) else None
            breaker.failed(self._clock.now(), delay)
            why = str(error) or f"no answer in {within:g} s"
            log.warning("cards go without", extra={"dependency": name, "error": why})
            raise TemporaryError(f"{name}: {why}") from error
        except UserError:
            breaker.succeeded()
            raise
        breaker.succeeded()
        return found
