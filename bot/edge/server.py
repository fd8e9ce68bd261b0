"""The HTTP application. It accepts webhooks from its first moment; what is opened later is plugged in then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from bot.domain.errors import TemporaryError
from bot.domain.phrases import Phrase
from bot.edge.webhooks import BODY_MAX, RETRY_AFTER, Webhooks
from bot.engine.meters import Meters
from bot.ports.chat import Inlet

READY_DEADLINE = 2.0


class Health:
    """``/healthz``, ``/readyz``, ``/metrics``. Only the store decides readiness; chats show in the body (ruling 11)."""

    def __init__(
        self,
        ping: Callable[[], Awaitable[None]],
        meters: Meters,
        trouble: Callable[[], Mapping[str, Phrase]],
        replicas: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._ping, self._meters, self._trouble, self._replicas = ping, meters, trouble, replicas

    async def alive(self, _: web.Request) -> web.Response:
        """200 while the event loop turns."""
        return web.Response(text="ok\n")

    async def ready(self, _: web.Request) -> web.Response:
        """200 while the store takes commits; else 503 with the failing part named."""
        store, status = "ok", 200
        try:
            async with asyncio.timeout(READY_DEADLINE):
                await self._ping()
        except (TemporaryError, TimeoutError) as error:
            store, status = str(error) or "no commit in time", 503
        self._meters.up.labels("store").set(status == 200)
        told = {
            "store": store,
            "destinations": {name: why.plain() for name, why in self._trouble().items()},
            "replicas": list(self._replicas()),
        }
        return web.json_response(told, status=status)

    async def metrics(self, _: web.Request) -> web.Response:
        """Prometheus text."""
        body, kind = self._meters.text()
        return web.Response(body=body, headers={"Content-Type": kind})


class Inlets:
    """Platforms that deliver over HTTP. Each path exists only in that platform's HTTP mode (ruling 23)."""

    def __init__(self, expected: Iterable[str]) -> None:
        self._expected = frozenset(expected)
        self.open: dict[str, Inlet] = {}

    def handler(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """404 when this platform has no HTTP mode, 503 while it is not connected yet."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if name not in self._expected:
                raise web.HTTPNotFound
            inlet = self.open.get(name)
            if inlet is None:
                return web.Response(status=503, headers={"Retry-After": str(RETRY_AFTER)})
            headers = {key.lower(): value for key, value in request.headers.items()}
            answer = await inlet.receive(headers, await request.read())
            return web.Response(status=answer.status, text=answer.body, content_type=answer.content_type)

        return handle


def application(webhooks: Webhooks, health: Health, inlets: Inlets, console: Iterable[web.RouteDef]) -> web.Application:
    """All routes of interface.md section 3."""
    app = web.Application(client_max_size=BODY_MAX)
    app.add_routes(
        [
            web.post("/webhooks/{source}", webhooks.handle),
            web.put("/webhooks/{source}", webhooks.handle),  # Grafana's contact point may be set to PUT
            web.get("/healthz", health.alive),
            web.get("/readyz", health.ready),
            web.get("/metrics", health.metrics),
            web.post("/slack/events", inlets.handler("slack")),
            web.post("/telegram/updates", inlets.handler("telegram")),
            *console,
        ]
    )
    return app


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int, drain: float) -> AsyncGenerator[str]:
    """Listen on *host*:*port* (0: any free one); yields the address. Open requests get *drain* seconds at the end."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=drain)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        yield f"http://{_reached(host)}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _reached(host: str) -> str:
    """How *host* is written in an address. All addresses of a family are reached by its loopback: a socket of IPv6
    takes no IPv4 (asyncio sets IPV6_V6ONLY)."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{loopback}]" if ":" in loopback else loopback
