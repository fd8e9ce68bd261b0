"""An address that a service's verification asks, whose answer the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Probe:
    """Answers ``status``; ``asked`` counts how often."""

    status: int = 200
    asked: int = 0
    url: str = field(default="")

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status)


@pytest.fixture
async def probe() -> AsyncIterator[Probe]:
    found, app = Probe(), web.Application()
    app.router.add_get("/healthz", found.answer)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/healthz"))
        yield found
