"""Presses of keys that wait for their answer: each gets exactly one, and within seconds, so that no key spins on."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Final

from bot.platforms.telegram.chores import Chores
from bot.platforms.telegram.client import Client
from bot.ports.clock import Clock

SPIN: Final = 4.0
"""Seconds a key may spin; an answer that takes longer comes as a message."""
KEPT: Final = 10_000
"""Presses remembered."""


class Presses:
    """A press unknown here may come from before a restart: it counts as unanswered, and Telegram will say."""

    def __init__(self, client: Client, clock: Clock, chores: Chores) -> None:
        self._client, self._clock, self._chores = client, clock, chores
        self._waiting: OrderedDict[str, bool] = OrderedDict()

    def arrived(self, press: str) -> None:
        """From now on it is answered in time, if only with nothing."""
        if press not in self._waiting:
            self._remember(press, waiting=True)
            self._chores.start("press", partial(self._late, press))

    def claim(self, press: str) -> bool:
        """Whether the caller may answer *press*, and therefore must."""
        free = self._waiting.get(press, True)
        self._remember(press, waiting=False)
        return free

    def end(self, press: str) -> None:
        """Answer *press* with nothing, unless it was answered."""
        if press and self.claim(press):
            self._chores.start("press", partial(self._client.answer, press))

    async def _late(self, press: str) -> None:
        await self._clock.sleep(SPIN)
        if self.claim(press):
            await self._client.answer(press)

    def _remember(self, press: str, *, waiting: bool) -> None:
        self._waiting[press] = waiting
        while len(self._waiting) > KEPT:
            self._waiting.popitem(last=False)
