"""How fast Telegram may be written to: the pace a lane keeps, and what all lanes together may use up."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.domain.errors import RateLimitedError, TemporaryError
from bot.platforms.telegram import limits
from bot.platforms.telegram.settings import TelegramSettings
from bot.ports.clock import Clock

T = TypeVar("T")
TRIES: Final = 20
BREATH: Final = 3.0
"""Seconds a card that can wait is put off at most in one go: a page that comes meanwhile finds its lane free."""


class PerChat:
    """The ``Pace`` port: one call a second in a chat, after a pause three at once. Groups: see :class:`Budget`."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._interval = 1 / settings.posts_per_second

    def interval(self, destination: str) -> float:  # noqa: ARG002 - the port's signature
        return self._interval

    def burst(self, destination: str) -> int:  # noqa: ARG002 - the port's signature
        return limits.PER_CHAT_BURST


class Budget:
    """Telegram's own rates, as windows that move along: topics share their group's, all chats share the last one.

    A quarter of a group's minute is kept for what is urgent: pages, and answers somebody waits for. So twenty pages
    can follow each other within twenty seconds, where an even spacing would take a minute.
    """

    def __init__(self, settings: TelegramSettings, clock: Clock) -> None:
        self._clock = clock
        self._chat = (limits.PER_CHAT_BURST, limits.PER_CHAT_BURST / settings.posts_per_second)
        self._minute = settings.posts_per_minute
        self._used: dict[str, deque[float]] = {}

    def take(self, chat: int, *, urgent: bool) -> None:
        """Spend one call. RateLimitedError: not now, nothing was spent."""
        now = self._clock.now().timestamp()
        windows = {"all": limits.OVERALL, f"chat {chat}": self._chat}
        if chat < 0:
            windows[f"group {chat}"] = (self._minute, limits.MINUTE)
        wait = max(self._wait(name, *window, now) for name, window in windows.items())
        if chat < 0 and not urgent:
            share = self._minute - self._minute // 4
            wait = max(wait, min(BREATH, self._wait(f"group {chat}", share, limits.MINUTE, now)))
        if wait > 0:
            raise RateLimitedError("within Telegram's rates", wait)
        for name in windows:
            self._used[name].append(now)

    async def patiently(self, chat: int, work: Callable[[], Awaitable[T]], *, urgent: bool) -> T:
        """Do *work*, which is one call in *chat*, as soon as the rates let it. For what stands in no lane.

        TemporaryError: they did not for ``TRIES`` times.
        """
        for _ in range(TRIES):
            try:
                self.take(chat, urgent=urgent)
                return await work()
            except RateLimitedError as error:
                await self._clock.sleep(1.0 if error.delay is None else error.delay)
        raise TemporaryError("Telegram's rates leave no room")

    def _wait(self, name: str, most: int, seconds: float, now: float) -> float:
        used = self._used.setdefault(name, deque())
        while used and not now - seconds < used[0] <= now:
            used.popleft()
        return used[-most] + seconds - now if len(used) >= most else 0.0
