"""The hub: hands every changed card to every open page, and lets no page hold up another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.platforms.console import limits
from bot.ports.console import Update


class Feed:
    """One page's updates. Ten changes of a card while the page is slow become one, as on any other destination."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: dict[tuple[str, str], Update] = {}
        self._news = asyncio.Event()
        self._over = False

    def put(self, update: Update) -> None:
        """Keep *update* for the page; with more cards waiting than there is room, end the feed."""
        self._waiting[update.subject, update.destination] = update
        self._over = self._over or len(self._waiting) > self._room
        self._news.set()

    def __aiter__(self) -> Feed:
        return self

    async def __anext__(self) -> Update:
        await self._news.wait()
        if self._over:
            raise StopAsyncIteration
        first = next(iter(self._waiting))
        update = self._waiting.pop(first)
        if not self._waiting:
            self._news.clear()
        return update


class Broadcast:
    """The ``Hub`` port, in this process."""

    def __init__(self, room: int = limits.PENDING) -> None:
        self._room = room
        self._feeds: set[Feed] = set()

    @property
    def pages(self) -> int:
        """How many pages are connected."""
        return len(self._feeds)

    def send(self, update: Update) -> None:
        """Give *update* to every page that is connected now."""
        for feed in self._feeds:
            feed.put(update)

    @asynccontextmanager
    async def subscribe(self) -> AsyncGenerator[Feed]:
        """Updates from now on, until the block is left or the page is too slow."""
        feed = Feed(self._room)
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)
