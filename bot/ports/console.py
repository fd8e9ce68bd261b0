"""The web console's page: what the edge needs to serve it, and the hub that feeds it live cards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bot.domain.messages import Message
from bot.domain.phrases import Words
from bot.domain.requests import Request


@dataclass(frozen=True)
class Answer:
    """What a command came to. ``operation``: the id of one that was made or changed, or empty."""

    ok: bool
    message: Message
    operation: str = ""


class Standing(NamedTuple):
    """A card as it stands in the store: for a page that has just opened."""

    subject: str
    revision: int
    at: datetime
    message: Message


@dataclass(frozen=True)
class Update:
    """A card that has just changed. ``private_to``: the one person who may see it, or empty for everybody listed."""

    subject: str
    destination: str
    revision: int
    at: datetime
    message: Message
    private_to: str = ""


class Hub(Protocol):
    """Live cards for open pages."""

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Update]]:
        """Updates from now on. The iterator ends when its page was too slow: it has to ask for everything anew."""
        ...


class Drawing(Protocol):
    """A message in one reader's language, as pure values."""

    def tree(self, message: Message, words: Words) -> Mapping[str, Any]:
        """JSON for the page (shape: bot/platforms/console/render.py)."""
        ...

    def plain(self, message: Message, words: Words) -> str:
        """Text for a terminal."""
        ...


Asker = Callable[[Request], Awaitable[Answer]]
"""Runs one person's command. UnavailableError: it could not even be stored."""
Snapshot = Callable[[], Awaitable[Sequence[tuple[str, int, datetime, Message]]]]
"""The latest cards, as :class:`Standing` or plain tuples of its shape."""
OnCall = Callable[[], Awaitable[Sequence[str] | None]]
"""Names of whoever is on call; None where nobody is meant to be, or nobody knows yet. UnavailableError: not now."""
WordsOf = Callable[[str, str], Words]
"""Words for a locale and a time zone; an empty one means the department's own."""
