"""The web layer: token, rate limit, routing, paging, ETags. Everything else is plain functions."""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final

from aiohttp import web

from bot.simulator.github import actions, contents, deployments, errors, history, pulls, releases, runs
from bot.simulator.github.ask import Ask, Reply, Route
from bot.simulator.github.limits import Limit
from bot.simulator.github.state import LOGIN, Forge
from bot.simulator.world import World

TOKEN: Final = "ghs_sim"  # noqa: S105 - the simulator's published token
_SCHEMES: Final = (f"token {TOKEN}", f"Bearer {TOKEN}", f"bearer {TOKEN}")
_REPO: Final = "/repos/{owner}/{repo}"
PAGE: Final = 30
LARGEST_PAGE: Final = 100

ROUTES: Final[tuple[tuple[str, str, Route], ...]] = (
    ("GET", "", history.repository),
    ("GET", "/contents/{path:.*}", contents.read),
    ("PUT", "/contents/{path:.+}", contents.write),
    ("DELETE", "/contents/{path:.+}", contents.delete),
    ("GET", "/commits", history.commits),
    ("GET", "/commits/{ref:.+}/check-runs", actions.check_runs),
    ("GET", "/commits/{ref:.+}/status", actions.combined_status),
    ("GET", "/commits/{ref:.+}", history.commit),
    ("GET", "/branches", history.branches),
    ("GET", "/branches/{branch:.+}", history.branch),
    ("GET", "/compare/{basehead:.+}", history.compare),
    ("GET", "/git/ref/{ref:.+}", history.ref),
    ("GET", "/git/matching-refs/{ref:.*}", history.matching),
    ("POST", "/git/refs", history.create_ref),
    ("PATCH", "/git/refs/{ref:.+}", history.update_ref),
    ("DELETE", "/git/refs/{ref:.+}", history.delete_ref),
    ("GET", "/releases", releases.listed),
    ("POST", "/releases", releases.create),
    ("GET", "/releases/latest", releases.latest),
    ("POST", "/releases/generate-notes", releases.notes),
    ("GET", "/releases/tags/{tag:.+}", releases.by_tag),
    ("GET", "/releases/{id}", releases.by_id),
    ("PATCH", "/releases/{id}", releases.update),
    ("GET", "/pulls", pulls.listed),
    ("POST", "/pulls", pulls.create),
    ("GET", "/pulls/{number}", pulls.one),
    ("PATCH", "/pulls/{number}", pulls.update),
    ("GET", "/pulls/{number}/merge", pulls.merged),
    ("PUT", "/pulls/{number}/merge", pulls.merge),
    ("GET", "/deployments", deployments.listed),
    ("POST", "/deployments", deployments.create),
    ("GET", "/deployments/{id}", deployments.one),
    ("GET", "/deployments/{id}/statuses", deployments.statuses),
    ("POST", "/deployments/{id}/statuses", deployments.tell),
    ("POST", "/actions/workflows/{workflow}/dispatches", runs.dispatch),
    ("GET", "/actions/workflows/{workflow}/runs", runs.listed),
    ("GET", "/actions/runs", runs.listed),
    ("GET", "/actions/runs/{run}", runs.one),
    ("GET", "/actions/runs/{run}/pending_deployments", actions.pending),
    ("POST", "/actions/runs/{run}/pending_deployments", actions.review),
    ("POST", "/actions/runs/{run}/deployment_protection_rule", actions.protection_rule),
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Surface:
    """All routes of one forge under one token and one rate limit."""

    def __init__(self, world: World, forge: Forge) -> None:
        self._world = world
        self._forge = forge
        self._limit = Limit()

    def mount(self, router: web.UrlDispatcher) -> None:
        for method, path, route in ROUTES:
            router.add_route(method, _REPO + path, self._handler(route))
        router.add_route("GET", "/user", self._handler(lambda _: Reply({"login": LOGIN, "type": "Bot"})))
        router.add_route("GET", "/rate_limit", self._rate_limit)
        router.add_route("*", "/{path:.*}", self._handler(_unknown))

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            now = self._world.clock.now()
            blocked = bool(self._world.faults.active("ratelimit", "github"))
            headers: dict[str, str] = {}
            try:
                _authenticate(request)
                counted = self._limit.count(now, blocked=blocked)
                headers = self._limit.headers(now, blocked=blocked)
                _check_limit(counted=counted)
                self._forge.calls.append((request.method, request.path))
                return self._respond(request, route(await self._ask(request)), headers)
            except errors.RefusedError as refused:
                return refused.response(headers)

        return handle

    async def _rate_limit(self, request: web.Request) -> web.Response:
        """Does not count against the limit."""
        try:
            _authenticate(request)
        except errors.RefusedError as refused:
            return refused.response({})
        now = self._world.clock.now()
        return web.json_response(self._limit.body(now), headers=self._limit.headers(now, blocked=False))

    async def _ask(self, request: web.Request) -> Ask:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError as error:
            raise errors.RefusedError(400, "Problems parsing JSON") from error
        if not isinstance(body, dict):
            raise errors.RefusedError(400, "Body should be a JSON object")
        return Ask(self._forge, dict(request.match_info), dict(request.query), body, self._world.clock.now())

    def _respond(self, request: web.Request, reply: Reply, headers: dict[str, str]) -> web.Response:
        if reply.body is None:
            return web.Response(status=reply.status, headers=headers)
        body = reply.body
        if reply.paged:
            items, link = _page(request, body[reply.key] if reply.key else body)
            body = body | {reply.key: items} if reply.key else items
            headers |= {"Link": link} if link else {}
        text = json.dumps(body)
        if request.method == "GET":
            headers["ETag"] = f'W/"{sha256(text.encode()).hexdigest()}"'
            if request.headers.get("If-None-Match") == headers["ETag"]:
                self._limit.give_back()
                return web.Response(status=304, headers=headers)
        return web.Response(
            text=text, status=reply.status, headers=headers, content_type="application/json", charset="utf-8"
        )


def _authenticate(request: web.Request) -> None:
    if request.headers.get("Authorization") not in _SCHEMES:
        raise errors.RefusedError(
            401, "Bad credentials" if "Authorization" in request.headers else "Requires authentication"
        )


def _check_limit(*, counted: bool) -> None:
    if not counted:
        raise errors.RefusedError(403, "API rate limit exceeded for installation ID 48127733.")


def _unknown(_: Ask) -> Reply:
    raise errors.not_found()


def _page(request: web.Request, items: list[Any]) -> tuple[list[Any], str]:
    """One page and its Link header, empty when everything fits on it."""
    size = min(max(_number(request, "per_page", PAGE), 1), LARGEST_PAGE)
    page = max(_number(request, "page", 1), 1)
    last = max((len(items) + size - 1) // size, 1)
    relations = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    wanted = [*(("next", "last") if page < last else ()), *(("prev", "first") if page > 1 else ())]
    links = [f'<{request.url.update_query(page=relations[name], per_page=size)}>; rel="{name}"' for name in wanted]
    return items[(page - 1) * size : page * size], ", ".join(links)


def _number(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name, "")
    return int(given) if given.isdecimal() else default
