"""How fast Slack may be written to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.pacing import Bucket
from bot.platforms.slack import limits


class PerChannel:
    """The ``Pace`` port: posts are limited by channel.

    What waits in a person's own lane is mostly ephemeral or an answer to a response_url, which have a budget of their
    own; direct messages in it are paced by ``Directs``.
    """

    def __init__(self, posts_per_second: float) -> None:
        self._interval = 1 / posts_per_second

    def interval(self, destination: str) -> float:
        """Seconds between two calls for one destination."""
        mine = personal(destination.partition(":")[2])
        return min(limits.WHISPER_SECONDS, self._interval) if mine else self._interval

    def burst(self, destination: str) -> int:
        """Calls at once after a pause."""
        return limits.WHISPERS if personal(destination.partition(":")[2]) else limits.BURST


def personal(channel: str) -> bool:
    """Whether *channel* is a person's id, hence stands for the direct messages with them."""
    return channel.startswith(("U", "W"))


class Tokens:
    """A bucket that never waits itself."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], datetime]) -> None:
        self._now, self._bucket = now, Bucket(1 / per_second, burst, now())

    def take(self) -> float:
        """Take one: 0, or the seconds after which there will be one to take."""
        now = self._now()
        wait = self._bucket.delay(now)
        if not wait:
            self._bucket.take(now)
        return wait

    def hold(self, seconds: float) -> None:
        """Let none through for *seconds*: Slack said so."""
        self._bucket.hold(self._now(), seconds)


class Budgets:
    """What the lanes do not count: ``edits`` of all channels of the workspace together, and posts to each person."""

    def __init__(self, posts_per_second: float, now: Callable[[], datetime]) -> None:
        self.edits = Tokens(limits.EDITS_PER_SECOND, limits.EDITS_BURST, now)
        self._rate, self._now = posts_per_second, now
        self._directs: dict[str, Tokens] = {}

    def direct(self, user: str) -> float:
        """Take one direct message to *user*: 0, or the seconds to wait."""
        if user not in self._directs:
            self._directs[user] = Tokens(self._rate, limits.BURST, self._now)
        return self._directs[user].take()
