"""A target for a real Prometheus to scrape: what it shows is the test's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests import real


class Exporter:
    """Answers ``/metrics`` on a port of its own with whatever *text* returns at each look."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text, self.port = text, real.free_port()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=self._text())
