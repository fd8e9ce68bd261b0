"""Questions under way: asked once for all who want them, awaited for a while only, answers kept for a moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from bot.ports.clock import Clock

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Launch: TypeAlias = "Callable[[Sequence[K]], Iterable[tuple[Sequence[K], Coroutine[Any, Any, Mapping[K, V]]]]]"
"""From questions to requests: which of them each one answers, and the work itself."""


class Flights(Generic[K, V]):
    """Who loses patience leaves the request under way: the next one to ask finds its answer."""

    def __init__(self, clock: Clock, launch: Launch[K, V], kept: Callable[[K], timedelta]) -> None:
        self._clock, self._launch, self._kept = clock, launch, kept
        self._known: dict[K, tuple[datetime, V]] = {}
        self._flying: dict[K, asyncio.Task[None]] = {}

    async def answers(self, keys: Iterable[K], patience: float) -> Mapping[K, V]:
        """What is known of *keys* within *patience* seconds; the others are left out."""
        wanted = tuple(dict.fromkeys(keys))
        self._forget()
        for some, work in self._launch([key for key in wanted if key not in self._known and key not in self._flying]):
            task = asyncio.get_running_loop().create_task(self._land(some, work))
            task.add_done_callback(_ended)
            self._flying.update(dict.fromkeys(some, task))
        if under_way := {self._flying[key] for key in wanted if key in self._flying}:
            await asyncio.wait(under_way, timeout=patience)
        return {key: self._known[key][1] for key in wanted if key in self._known}

    async def close(self) -> None:
        """Give up what is under way."""
        if tasks := set(self._flying.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _land(self, keys: Sequence[K], work: Coroutine[Any, Any, Mapping[K, V]]) -> None:
        try:
            found, now = await work, self._clock.now()
            self._known.update((key, (now + self._kept(key), value)) for key, value in found.items())
        finally:
            for key in keys:
                self._flying.pop(key, None)

    def _forget(self) -> None:
        now = self._clock.now()
        self._known = {key: known for key, known in self._known.items() if now < known[0]}


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("a question to Prometheus could not be asked", exc_info=error)
