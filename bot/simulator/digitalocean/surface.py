"""The web layer: token, rate limit headers, routing, paging."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.ask import Ask, Reply, Route
from bot.simulator.digitalocean.databases import new_id
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.routes import ROUTES
from bot.simulator.digitalocean.state import Cloud
from bot.simulator.world import World

TOKEN: Final = "dop_v1_sim"  # noqa: S105 - the simulator's published token
HOURLY: Final = 5000
"""Requests an hour (digitalocean/openapi, introduction)."""
WINDOW: Final = 3600
"""Seconds."""
PAGE: Final = 20
LARGEST_PAGE: Final = 200
RETRY_AFTER: Final = 2
"""Seconds, while the fault ``ratelimit`` is on."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Surface:
    """All routes of one account under one token and one rate limit."""

    def __init__(self, world: World, cloud: Cloud) -> None:
        self._world = world
        self._cloud = cloud
        self._used = 0
        self._reset = 0

    def mount(self, router: web.UrlDispatcher) -> None:
        for method, path, route in ROUTES:
            router.add_route(method, f"/v2{path}", self._handler(route))
        router.add_route("*", "/{path:.*}", self._handler(_unknown))

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            headers = self._headers()
            try:
                return _respond(request, route(await self._ask(request)), headers)
            except errors.RefusedError as refused:
                body = {"id": refused.word, "message": refused.message, "request_id": headers["x-request-id"]}
                headers |= {"Retry-After": str(RETRY_AFTER)} if refused.status == 429 else {}
                return web.json_response(body, status=refused.status, headers=headers)

        return handle

    def _headers(self) -> dict[str, str]:
        now = self._world.clock.now().timestamp()
        if now >= self._reset:
            self._used, self._reset = 0, int(now) + WINDOW
        self._used += 1
        blocked = self._blocked()
        return {
            "ratelimit-limit": str(HOURLY),
            "ratelimit-remaining": str(0 if blocked else HOURLY - self._used),
            "ratelimit-reset": str(self._reset),
            "x-request-id": new_id(self._world.random),
        }

    def _blocked(self) -> bool:
        return self._used > HOURLY or bool(self._world.faults.active("ratelimit", "digitalocean"))

    async def _ask(self, request: web.Request) -> Ask:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise errors.unauthorized()
        if self._blocked():
            raise errors.too_many()
        self._cloud.calls.append((request.method, request.path))
        return Ask(self._cloud, dict(request.match_info), dict(request.query), await _body(request))


async def _body(request: web.Request) -> Json:
    raw = await request.read()
    try:
        found = json.loads(raw) if raw else {}
    except ValueError as error:
        raise errors.bad_request("Unable to parse the request body.") from error
    if not isinstance(found, dict):
        raise errors.bad_request("The request body must be an object.")
    return found


def _unknown(_: Ask) -> Reply:
    raise errors.not_found()


def _respond(request: web.Request, reply: Reply, headers: dict[str, str]) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    body = _page(request, reply.body, reply.listed) if reply.listed else reply.body
    return web.json_response(body, status=reply.status, headers=headers)


def _page(request: web.Request, body: Json, key: str) -> Json:
    """One page of ``body[key]``, with links to the next and last ones."""
    items: list[Any] = body[key]
    size = min(max(_number(request, "per_page", PAGE), 1), LARGEST_PAGE)
    page = max(_number(request, "page", 1), 1)
    last = max((len(items) + size - 1) // size, 1)
    links: Json = {}
    if page < last:
        targets = {"next": page + 1, "last": last}
        pages = {name: str(request.url.update_query(page=at, per_page=size)) for name, at in targets.items()}
        links = {"pages": pages}
    part = items[(page - 1) * size : page * size]
    return body | {key: part, "links": links, "meta": {"total": len(items)}}


def _number(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name, "")
    return int(given) if given.isdecimal() else default
