"""How fast Telegram may be written to: the pace a lane keeps, and what all lanes together may use up."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.domain.cards import Priority
from bot.domain.errors import DeferredError, RateLimitedError, TemporaryError
from bot.domain.phrases import phrase
from bot.platforms.telegram import limits
from bot.platforms.telegram.settings import TelegramSettings
from bot.ports.clock import Clock

T = TypeVar("T")
Windows = dict[str, tuple[int, float]]
TRIES: Final = 20
BREATH: Final = 1.0
"""Seconds a lane is held at most for a card that can wait: a page or an answer that comes meanwhile finds it free."""
PUT_OFF: Final = 10.0
"""Seconds an edit is put off at most in one go."""
EDITS, EDITS_OWN, OTHERS, PROGRESS = 15, 9, 13, 12
"""Twentieths of a group's minute, see :class:`Budget`."""
URGENT: Final = (Priority.PAGE, Priority.ANSWER)


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

    Edits count as posts do. Of a group's twenty calls a minute, new pages and answers somebody waits for may use all:
    so twenty pages can follow each other within twenty seconds, where an even spacing would take a minute. Edits of
    such cards stop at fifteen, and at nine of their own; everything else stops at thirteen, the live progress of an
    operation at twelve and at one in three seconds. So no storm of one sort starves another, and five pages in a
    minute always find room.
    """

    def __init__(self, settings: TelegramSettings, clock: Clock) -> None:
        self._clock = clock
        self._chat = (limits.PER_CHAT_BURST, limits.PER_CHAT_BURST / settings.posts_per_second)
        self._minute = settings.posts_per_minute
        self._used: dict[str, deque[float]] = {}

    def take(self, chat: int, *, urgent: bool) -> None:
        """Spend one call on something new. RateLimitedError: not now, nothing was spent."""
        now = self._now()
        wait = 0.0 if urgent else min(BREATH, self._over(chat, OTHERS, now))
        self._spend(self._windows(chat), wait, now)

    def take_edit(self, chat: int, priority: Priority) -> None:
        """Spend one call on an edit. DeferredError: this card has to yield; RateLimitedError: nobody may write now."""
        if chat > 0 or priority is Priority.NORMAL:
            self.take(chat, urgent=False)
            return
        now, progress = self._now(), priority is Priority.OPERATION
        own = {f"progress {chat}": limits.PROGRESS} if progress else {f"edits {chat}": self._share(EDITS_OWN)}
        wait = max(self._longest(own, now), self._over(chat, PROGRESS if progress else EDITS, now))
        if wait > 0:
            raise DeferredError("an edit yields to new messages", min(PUT_OFF, wait))
        self._spend(self._windows(chat) | own, 0.0, now)

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
        raise TemporaryError(phrase("Telegram's rates leave no room"))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _windows(self, chat: int) -> Windows:
        windows = {"all": limits.OVERALL, f"chat {chat}": self._chat}
        return windows | ({f"group {chat}": (self._minute, limits.MINUTE)} if chat < 0 else {})

    def _share(self, twentieths: int) -> tuple[int, float]:
        return max(1, self._minute * twentieths // 20), limits.MINUTE

    def _over(self, chat: int, twentieths: int, now: float) -> float:
        """Seconds until less than this share of a group's minute is used; a private chat knows no minute."""
        return self._wait(f"group {chat}", *self._share(twentieths), now) if chat < 0 else 0.0

    def _spend(self, windows: Windows, wait: float, now: float) -> None:
        wait = max(wait, self._longest(windows, now))
        if wait > 0:
            raise RateLimitedError("within Telegram's rates", wait)
        for name in windows:
            self._used[name].append(now)

    def _longest(self, windows: Windows, now: float) -> float:
        return max(self._wait(name, *window, now) for name, window in windows.items())

    def _wait(self, name: str, most: int, seconds: float, now: float) -> float:
        used = self._used.setdefault(name, deque())
        while used and not now - seconds < used[0] <= now:
            used.popleft()
        return used[-most] + seconds - now if len(used) >= most else 0.0
