"""What the tests of the simulator's core share: a clock set by hand, and a receiver of webhooks."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web


class HandClock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **parts: float) -> None:
        self.at += timedelta(**parts)


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Stands where pult would: answers 200, or what *answers* holds for the next requests."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(Received(request.path, dict(request.headers), await request.read()))
        self.news.set()
        return web.json_response({}, status=self.answers.pop(0) if self.answers else 200)

    async def until(self, found: Any) -> Any:
        """Wait until ``found(received)`` is truthy for some request, and answer that value."""
        while True:
            self.news.clear()
            for one in self.got:
                value = found(one)
                if value:
                    return value
            await self.news.wait()
