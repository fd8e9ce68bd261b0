"""How fast Slack may be written to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.platforms.slack import limits


class PerChannel:
    """The ``Pace`` port: posts are limited by channel."""

    def __init__(self, posts_per_second: float) -> None:
        self._interval = 1 / posts_per_second

    def interval(self, destination: str) -> float:  # noqa: ARG002 - the same for all
        """Seconds between two posts in one channel."""
        return self._interval

    def burst(self, destination: str) -> int:  # noqa: ARG002
        """Posts at once after a pause."""
        return limits.BURST


class Edits:
    """The workspace's budget of chat.update, shared by all channels: a token bucket that never waits itself."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tokens, self._at = float(limits.EDITS_BURST), now()
        self._held_until = self._at

    def take(self) -> float:
        """Take one edit: 0, or the seconds after which there will be one to take."""
        now = self._now()
        gained = (now - self._at).total_seconds() * limits.EDITS_PER_SECOND
        self._tokens, self._at = min(float(limits.EDITS_BURST), self._tokens + max(0.0, gained)), now
        held = (self._held_until - now).total_seconds()
        if held > 0:
            return held
        if self._tokens < 1:
            return (1 - self._tokens) / limits.EDITS_PER_SECOND
        self._tokens -= 1
        return 0.0

    def hold(self, seconds: float) -> None:
        """Let no edit through for *seconds*: Slack said so."""
        self._held_until = max(self._held_until, self._now() + timedelta(seconds=seconds))
