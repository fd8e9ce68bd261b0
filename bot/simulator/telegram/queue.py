"""Updates on their way to the bot: one queue, one reader, a poll or a webhook."""

import asyncio
import random
from typing import Final

from bot.simulator.telegram import limits
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import TelegramError

_NOT_BY_DEFAULT: Final = ("chat_member", "message_reaction", "message_reaction_count")
_TERMINATED: Final = "terminated by other getUpdates request; make sure that only one bot instance is running"
_WEBHOOK: Final = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Updates:
    """Unconfirmed updates in order, and the poll that waits for them."""

    def __init__(self, dice: random.Random) -> None:
        self._next = dice.randrange(10**8, 10**9)
        self._poll: asyncio.Future[None] | None = None
        self.arrived = asyncio.Event()
        """Set while something waits for the webhook."""
        self.pending: list[Json] = []
        self.allowed: list[str] | None = None
        self.closing = False

    def push(self, kind: str, body: Json) -> int | None:
        """Queue one update; returns its id, None when the bot does not want this kind."""
        wanted = kind not in _NOT_BY_DEFAULT if not self.allowed else kind in self.allowed
        if not wanted:
            return None
        self._next += 1
        self.pending.append({"update_id": self._next, kind: body})
        self.arrived.set()
        self._wake()
        return self._next

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def confirm(self, offset: int) -> None:
        """Forget updates before *offset*; a negative one keeps the last -offset."""
        if offset < 0:
            self.pending = self.pending[offset:]
        elif offset > 0:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]

    async def poll(self, limit: int, timeout: float, *, webhook: bool) -> list[Json]:
        """Long poll. TelegramError 409: a webhook is set, or another poll came."""
        if webhook:
            raise TelegramError(409, _WEBHOOK)
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(TelegramError(409, _TERMINATED))
        if not self.pending and timeout and not self.closing:
            await self._wait(timeout)
        return self.pending[:limit]

    async def _wait(self, timeout: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poll = waiting
        try:
            async with asyncio.timeout(timeout):
                await waiting
        except TimeoutError:
            return

    def take(self) -> Json | None:
        """The update the webhook gets next; it stays until it is done."""
        if not self.pending:
            self.arrived.clear()
            return None
        return self.pending[0]

    def done(self, update: Json) -> None:
        if update in self.pending:
            self.pending.remove(update)

    def clear(self) -> None:
        self.pending = []

    def close(self) -> None:
        """The server goes down: no poll may keep it waiting."""
        self.closing = True
        self._wake()


def poll_seconds(timeout: int) -> float:
    return float(max(0, min(timeout, limits.POLL)))
