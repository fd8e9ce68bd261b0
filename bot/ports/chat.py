"""A chat platform: put a message somewhere, change it, find it again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.cards import Card, Place, Ref
from bot.domain.messages import Message
from bot.domain.phrases import Words
from bot.domain.requests import Request

Ask = Callable[[Request], Coroutine[Any, Any, None]]
"""Gives a request to the router; returns once it is stored, so the platform may be acknowledged."""


WordsFor = Callable[[Place], Words]
"""The language and zone a place reads: the person's in private, else the chat's."""


@dataclass(frozen=True)
class HttpAnswer:
    """What a platform's own webhook is told."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


class Inlet(Protocol):
    """A platform that may deliver over HTTP: Slack events, Telegram updates."""

    async def receive(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Check the signature, store what it asks for, answer. Header names are lower case."""
        ...


class Pace(Protocol):
    """How fast one platform may be written to."""

    def interval(self, destination: str) -> float:
        """Seconds between two calls for *destination* (the platform's published rate)."""
        ...

    def burst(self, destination: str) -> int:
        """How many calls may come at once after a pause."""
        ...


class Chat(Protocol):
    """Renders and sends. RateLimitedError, AmbiguousError, TemporaryError, LostReferenceError, PermanentError."""

    @property
    def platform(self) -> str: ...

    @property
    def pace(self) -> Pace: ...

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """Show *message* anew in ``card.place``; ``card.key`` goes along where the platform has a place for it."""
        ...

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Make the message behind *ref* say *message*; "not modified" is success."""
        ...

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        """Keys of pult's own messages in *place* not older than *since*; empty where a platform can't look."""
        ...

    async def listen(self, ask: Ask) -> None:
        """Receive people's words and presses until cancelled; reconnect by itself."""
        ...

    async def check(self) -> str:
        """One sentence on who we are there. PermanentError or TemporaryError says what is wrong."""
        ...
