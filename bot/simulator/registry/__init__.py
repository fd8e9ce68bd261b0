"""A simulated private image registry: the department's images, for whoever shows its token.

It speaks the distribution API's reading half and the token flow. What stands behind a digest is a stub, not a manifest,
but it has that digest; nothing here is ever pulled.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from aiohttp import web

from bot.simulator.kubernetes import images
from bot.simulator.world import World

__all__ = ["PASSWORD", "SERVICE", "USERNAME", "Registry", "application"]

USERNAME: Final = "pult"
PASSWORD: Final = "sim-registry-password"  # noqa: S105 - published demo value
SERVICE: Final = "registry.example"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
_LIFE: Final = 300
"""Seconds that a token lives."""


class Registry:
    """Tags and contents of every repository; tests move tags, as people do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.tags: dict[str, dict[str, str]] = {}
        self.contents: dict[str, bytes] = {}
        self.tokens: dict[str, tuple[str, datetime]] = {}
        """Token → the scope it was given for, and until when."""
        for service, versions in images.VERSIONS.items():
            for version in versions:
                self.push(f"dept/{service}", version, f"{service}:{version}".encode())

    def push(self, name: str, tag: str, content: bytes) -> str:
        """Let *tag* stand for *content*; its digest."""
        digest = images.digest_of(content)
        self.contents[digest] = content
        self.tags.setdefault(name, {})[tag] = digest
        return digest

    async def token(self, request: web.Request) -> web.Response:
        """Only for those who say who they are."""
        wanted = b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            return _refused(401, "UNAUTHORIZED", "incorrect username or password")
        token = token_hex(16)
        until = self._world.clock.now() + timedelta(seconds=_LIFE)
        self.tokens[token] = request.query.get("scope", ""), until
        return web.json_response({"token": token, "access_token": token, "expires_in": _LIFE})

    async def base(self, request: web.Request) -> web.Response:
        return self._stopped(request, "") or web.json_response({})

    async def manifest(self, request: web.Request) -> web.Response:
        """GET and HEAD, by tag or by digest."""
        name, wanted = request.match_info["name"], request.match_info["reference"]
        stopped = self._stopped(request, f"repository:{name}:pull")
        if stopped is not None:
            return stopped
        if name not in self.tags:
            return _refused(404, "NAME_UNKNOWN", "repository name not known to registry")
        known = self.tags[name]
        digest = wanted if wanted in known.values() else known.get(wanted, "")
        if not digest:
            return _refused(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if INDEX not in request.headers.get("Accept", ""):
            return _refused(404, "MANIFEST_UNKNOWN", "OCI index found, but accept header does not support OCI indexes")
        return web.Response(body=self.contents[digest], headers={"Docker-Content-Digest": digest}, content_type=INDEX)

    def _stopped(self, request: web.Request, scope: str) -> web.Response | None:
        """429 while the fault is on; 401 with the challenge for whoever has no token for *scope*."""
        if self._world.faults.active("ratelimit", "registry"):
            return _refused(429, "TOOMANYREQUESTS", "too many requests", {"Retry-After": "2"})
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given, until = self.tokens.get(token, ("", self._world.clock.now()))
        if until > self._world.clock.now() and given == scope:
            return None
        realm = request.url.with_path(request.path.partition("/v2/")[0] + "/token").with_query(None)
        header = f'Bearer realm="{realm}",service="{SERVICE}"' + (f',scope="{scope}"' if scope else "")
        return _refused(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": header})


def application(world: World) -> web.Application:
    """The registry, to be mounted at ``/registry``."""
    registry = world.registry = Registry(world)
    app = web.Application()
    app.router.add_get("/token", registry.token)
    app.router.add_get("/v2/", registry.base)
    app.router.add_get("/v2/{name:.+}/manifests/{reference}", registry.manifest)  # and HEAD
    return app


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"errors": [{"code": code, "message": message, "detail": None}]}
    return web.Response(status=status, text=json.dumps(body), headers=headers, content_type="application/json")
