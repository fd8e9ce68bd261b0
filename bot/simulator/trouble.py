"""The faults that strike any surface alike: late answers, 5xx, 429, dropped connections."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.simulator.faults import Faults

SURFACE_OF: Final[Mapping[str, str]] = {
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "loki": "loki",
    "k8s": "kubernetes",
    "github": "github",
    "registry": "registry",
    "digitalocean": "digitalocean",
    "slack": "slack",
    "telegram": "telegram",
}
"""First part of the path → the name under which faults speak of the surface."""
PLAIN_LIMIT: Final = ("prometheus", "alertmanager", "loki")
"""Surfaces without a rate limit of their own: a proxy before them answers 429. The others do it in their own words,
where the whole of them is struck.
"""
RETRY_AFTER: Final = 2
"""Seconds."""
_DRIVE: Final = "_drive"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def surface(path: str) -> str | None:
    """The surface a path belongs to; None for the control interface and for the hands of simulated people."""
    parts = path.split("/", 3)
    return None if _DRIVE in parts else SURFACE_OF.get(parts[1])


def within(path: str) -> str:
    """What *path* is to the surface it belongs to, without the version that all of DigitalOcean's begin with."""
    inner = "/" + path.split("/", 2)[2] if path.count("/") > 1 else "/"
    return inner.removeprefix("/v2") if path.startswith("/digitalocean/") else inner


def middleware(faults: Faults) -> Middleware:
    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = surface(request.path)
        if name is None:
            return await handler(request)
        slow = faults.striking("slow", name, within(request.path))
        if slow:
            await request.read()  # a slow server has the whole request, and works on it although its sender may die
            await asyncio.sleep(slow.delay)
        return _failure(faults, name, request) or await handler(request)

    return strike


def _failure(faults: Faults, name: str, request: web.Request) -> web.Response | None:
    path = within(request.path)
    if faults.striking("drop", name, path):
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)
    if error := faults.striking("error", name, path):
        status = int(error.value) if error.value >= 500 else 503
        return web.Response(status=status, text="Service Unavailable")
    limit = faults.striking("ratelimit", name, path)
    if limit and (name in PLAIN_LIMIT or limit.target != name):
        return web.Response(status=429, text="Too Many Requests", headers={"Retry-After": str(RETRY_AFTER)})
    return None
