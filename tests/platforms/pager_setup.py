"""A paging provider in this process: it checks every proof, keeps what it took, and answers as a test says."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.domain.cards import Card, Place, Priority
from bot.edge.server import serve
from bot.platforms.webhook.settings import PagerSettings
from tests.platforms.slack_setup import START

SECRET = "pager-secret"


@dataclass
class Provider:
    """``answers`` come first, one a request: status and headers; then 202. ``delay``: seconds before an answer."""

    url: str = ""
    answers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    delay: float = 0.0
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    heads: int = 0

    async def take(self, request: web.Request) -> web.Response:
        if request.method == "HEAD":
            self.heads += 1
            return web.Response(status=405)
        body = await request.read()
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        self.keys.append(request.headers["Idempotency-Key"])
        await asyncio.sleep(self.delay)
        status, headers = self.answers.pop(0) if self.answers else (202, {})
        if status < 300:
            proven(body, request.headers)
            self.events.append(json.loads(body))
        return web.Response(status=status, headers=headers)

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


def proven(body: bytes, headers: Mapping[str, str]) -> None:
    """As a receiver would, by ruling 6 and nothing of pult's own code."""
    stamped = headers["X-Pult-Timestamp"].encode() + b"." + body
    want = "sha256=" + hmac.new(SECRET.encode(), stamped, hashlib.sha256).hexdigest()
    assert headers["X-Pult-Signature"] == want
    assert headers["Content-Type"] == "application/json"


async def provider(stack: AsyncExitStack) -> Provider:
    """Listens until *stack* is closed."""
    found = Provider()
    app = web.Application()
    app.router.add_route("*", "/v1/KEY-s3cret", found.take)
    found.url = await stack.enter_async_context(serve(app, "127.0.0.1", 0, 1)) + "/v1/KEY-s3cret"
    return found


def pager(url: str, name: str = "duty", **more: Any) -> PagerSettings:
    return PagerSettings.model_validate({"name": name, "url": url, "secret": SECRET, **more})


def card(subject: str = "alert:a-7k2f", wanted: int = 1, name: str = "duty") -> Card:
    return Card(subject, Place(f"webhook:{name}"), Priority.PAGE, wanted, 0, None, 0, START, START)
