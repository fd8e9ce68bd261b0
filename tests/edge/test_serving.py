"""The address that pult reaches itself at, whatever it listens on."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from bot.edge.server import serve


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "::1", "::"])
async def test_the_canary_finds_its_way_in(host: str) -> None:
    async def here(_: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.add_routes([web.get("/", here)])
    async with serve(app, host, 0, 1) as url, aiohttp.ClientSession() as session, session.get(url) as answer:
        assert await answer.text() == "here"
