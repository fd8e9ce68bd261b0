"""The web console over HTTP: the page and its files, login, ``POST /api/ask``, and the door to the live connection.

Interface.md section 3 and rulings 3 and 29. What a program gets on refusal is ``{"error": …}`` with 400, 401, 403,
413, 429 or 503. Who is not known learns nothing but that they have to log in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from bot.domain.errors import MalformedError, RateLimitedError, TemporaryError
from bot.domain.people import Person
from bot.edge.console_access import Access
from bot.edge.console_asks import Asks, read_ask, read_object
from bot.edge.console_live import Live
from bot.edge.console_parts import BODY_DEADLINE, BODY_MAX, ConsoleParts

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
INDEX: Final = "index.html"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On everything the console answers. The page needs nothing from elsewhere, so nothing else is allowed."""
KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""Content types by suffix: the machine's own table may say otherwise, and a browser refuses a script without one."""


class Console:
    """All of the console's routes. Its files are read once, here."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts
        self._access = Access(parts.directory, parts.clock, opened=parts.opened, public_url=parts.public_url)
        self._asks = Asks(parts)
        self._live = Live(parts, self._asks)
        self._files = _read(parts.page)

    def routes(self) -> Iterable[web.RouteDef]:
        """To be served by the one HTTP server."""
        return [
            web.get("/", _guarded(self._page)),
            web.get("/static/{name}", _guarded(self._static)),
            web.post("/api/login", _guarded(self._login)),
            web.post("/api/logout", _guarded(self._logout)),
            web.get("/api/me", _guarded(self._me)),
            web.get("/api/people", _guarded(self._people)),
            web.post("/api/ask", _guarded(self._ask)),
            web.get("/api/console", self._connect),
        ]

    async def close(self, _: web.Application | None = None) -> None:
        """Send all pages away; fit for ``app.on_shutdown``."""
        await self._live.close()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._file(request, INDEX)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return self._file(request, request.match_info["name"])

    def _file(self, request: web.Request, name: str) -> web.Response:
        """A file by its exact name: a look-up, not a path, so there is nothing to climb out of."""
        if name not in self._files:
            return _refused(404, "no such file")
        body, kind, tag = self._files[name]
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers={"Content-Type": kind, **headers})

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if not self._access.ours(request):
            return _foreign()
        address = request.remote or ""
        if (wait := self._access.tries(address)) > 0:
            return _refused(429, "too many wrong tokens", wait)
        token = read_object(await _body(request)).get("token")
        if not isinstance(token, str):
            raise MalformedError("token: expected your personal token")
        person = self._access.login(token.strip(), address)
        if person is None:
            return _refused(401, "no such token")
        response = self._identity(person, request)
        self._access.begin(response, person, secure=request.secure)
        return response

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        if not self._access.ours(request):
            return _foreign()
        response = _json({"status": "ok"})
        self._access.end(response)
        return response

    async def _me(self, request: web.Request) -> web.StreamResponse:
        person = self._access.person(request)
        if person is None:
            return _json({"error": "log in first", "open": self._access.chooses(request)}, 401)
        return self._identity(person, request)

    def _identity(self, person: Person, request: web.Request) -> web.Response:
        return _json(
            {
                "name": person.name,
                "roles": sorted(person.roles),
                "locale": self._asks.words(person, "").locale,
                "open": self._access.chooses(request),
                "version": self._parts.version,
            }
        )

    async def _people(self, request: web.Request) -> web.StreamResponse:
        if not self._access.chooses(request):
            return _refused(404, "people log in with their personal tokens")
        return _json({"people": [{"name": one.name, "roles": sorted(one.roles)} for one in self._parts.directory]})

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        if not self._access.ours(request):
            return _foreign()
        body = await _body(request)
        person = self._access.person(request)
        if person is None:
            return _refused(401, "log in first, or send your token as Bearer")
        asked = read_ask(read_object(body), self._parts.locales)
        answer = await self._asks.ask(person, asked)
        text = self._parts.drawing.plain(answer.message, self._asks.words(person, asked.locale))
        return _json({"ok": answer.ok, "text": text, "op": answer.operation or None})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        person = self._access.person(request)
        if person is None:
            return _refused(401, "log in first")
        if not self._access.ours(request):
            return _foreign()
        locale = request.query.get("locale", "")
        return await self._live.serve(request, person, locale if locale in self._parts.locales else "")


def _guarded(handler: Handler) -> Handler:
    """*handler* with our headers, and with the refusals that it raises."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except MalformedError as error:
            response = _refused(400, str(error))
        except web.HTTPRequestEntityTooLarge:
            response = _refused(413, f"over {BODY_MAX} bytes")
        except RateLimitedError as error:
            response = _refused(429, str(error), error.delay or 1.0)
        except TemporaryError:
            response = _refused(503, "pult can't take this now", 5.0)
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return handle


async def _body(request: web.Request) -> bytes:
    """The body. HTTPRequestEntityTooLarge over ``BODY_MAX`` bytes, MalformedError when it does not arrive in time."""
    if (request.content_length or 0) > BODY_MAX:
        raise web.HTTPRequestEntityTooLarge(BODY_MAX, request.content_length or 0)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > BODY_MAX:
                    raise web.HTTPRequestEntityTooLarge(BODY_MAX, len(body))
    except TimeoutError as error:
        raise MalformedError("the body did not arrive in time") from error
    return bytes(body)


def _read(folder: Path) -> Mapping[str, tuple[bytes, str, str]]:
    """Every file of *folder*: its bytes, content type and ETag."""
    files = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            body = path.read_bytes()
            tag = f'"{sha256(body).hexdigest()[:16]}"'
            files[path.name] = (body, KINDS[path.suffix], tag)
    return files


def _foreign() -> web.Response:
    return _refused(403, "this came from another site; if it did not, set server.public_url to the console's address")


def _refused(status: int, error: str, after: float = 0.0) -> web.Response:
    response = _json({"error": error}, status)
    if after > 0:
        response.headers["Retry-After"] = str(max(1, round(after + 0.5)))
    return response


def _json(data: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
