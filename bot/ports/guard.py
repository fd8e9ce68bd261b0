"""Asking what a card can do without: with a deadline, and not again for a while when nobody answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Guard(Protocol):
    """One breaker for each dependency, by its name."""

    async def ask(self, name: str, work: Callable[[], Awaitable[T]], within: float) -> T:
        """What *work* finds within so many seconds.

        TemporaryError: it failed, or came too late, or did so a moment ago and was not asked. UserError passes.
        """
        ...
