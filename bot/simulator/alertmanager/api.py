"""Alertmanager's API v2 over HTTP (contracts.md, section 2)."""

import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from aiohttp import web

from bot.simulator.alertmanager import matchers, reading
from bot.simulator.alertmanager.alerts import RECEIVER, Alert
from bot.simulator.alertmanager.manager import Manager
from bot.simulator.alertmanager.matchers import Matcher
from bot.simulator.alertmanager.payload import grouped
from bot.simulator.alertmanager.silences import RefusedError
from bot.simulator.alertmanager.wire import dump, millis

_TRUE: Final = ("true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled")
"""What go-openapi's swag.ConvertBool takes for true; everything else is false, not an error."""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONFIG: Final = (
    "route:\n  receiver: pult\n  group_by:\n  - alertname\n  - service\n  group_wait: {wait:g}s\n"
    "  group_interval: {interval:g}s\n  repeat_interval: {repeat:g}s\n  routes:\n  - receiver: pult\n"
    '    matchers:\n    - alertname="Watchdog"\n    repeat_interval: {watchdog:g}s\n'
    "receivers:\n- name: pult\n  webhook_configs:\n  - send_resolved: true\n    url: <secret>\n"
)
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Api:
    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    def routes(self) -> Iterator[web.RouteDef]:
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "status", self._status),
            ("GET", "receivers", self._receivers),
            ("GET", "alerts", self._alerts),
            ("POST", "alerts", self._post_alerts),
            ("GET", "alerts/groups", self._groups),
            ("GET", "silences", self._silences),
            ("POST", "silences", self._post_silence),
            ("GET", "silence/{id}", self._silence),
            ("DELETE", "silence/{id}", self._delete_silence),
        )
        for method, path, handler in table:
            yield web.route(method, f"/api/v2/{path}", _guarded(handler))
        for path in ("healthy", "ready"):
            yield web.get(f"/-/{path}", _ok)

    async def _status(self, _: web.Request) -> web.Response:
        version = {
            "branch": "debian/sid",
            "buildDate": "20230409-09:50:43",
            "buildUser": "build@example.com",
            "goVersion": "go1.19.8",
            "revision": "0.25.0-1+b4",
            "version": "0.25.0",
        }
        timing = self._manager.timing
        original = _CONFIG.format(
            wait=timing.wait, interval=timing.interval, repeat=timing.repeat, watchdog=timing.watchdog
        )
        return _json(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": original},
                "uptime": millis(self._manager.started),
                "versionInfo": version,
            },
            html=False,
        )

    async def _receivers(self, _: web.Request) -> web.Response:
        return _json([{"name": RECEIVER}])

    async def _alerts(self, request: web.Request) -> web.Response:
        return _json([self._manager.shown(alert) for alert in self._chosen(request)])

    async def _groups(self, request: web.Request) -> web.Response:
        groups: dict[tuple[tuple[str, str], ...], list[Alert]] = {}
        for alert in self._chosen(request):
            groups.setdefault(tuple(sorted(grouped(alert.labels).items())), []).append(alert)
        return _json(
            [
                {"alerts": list(map(self._manager.shown, alerts)), "labels": dict(key), "receiver": {"name": RECEIVER}}
                for key, alerts in sorted(groups.items())
            ]
        )

    async def _post_alerts(self, request: web.Request) -> web.Response:
        given = reading.parsed(await request.read(), request.content_type, "alerts")
        self._manager.receive(reading.alerts(given, self._manager.now()))
        return _empty(200)

    async def _silences(self, request: web.Request) -> web.Response:
        now = self._manager.now()
        return _json([one.shown(now) for one in self._manager.silences.listed(_filters(request))])

    async def _post_silence(self, request: web.Request) -> web.Response:
        given = reading.parsed(await request.read(), request.content_type, "silence")
        put = self._manager.silences.put(reading.silence(given, self._manager.now()))
        return _json({"silenceID": put.ident})

    async def _silence(self, request: web.Request) -> web.Response:
        found = self._manager.silences.find(_ident(request))
        return _json(found.shown(self._manager.now())) if found else _empty(404)

    async def _delete_silence(self, request: web.Request) -> web.Response:
        return _empty(200 if self._manager.silences.expire(_ident(request)) else 404)

    def _chosen(self, request: web.Request) -> list[Alert]:
        filters = _filters(request)
        active, silenced = (_switch(request, name) for name in ("active", "silenced"))
        receiver = _receiver(request)
        found = (one for one in self._manager.firing() if all(test.matches(one.labels) for test in filters))
        muted = ((one, bool(self._manager.silences.muting(one.labels))) for one in found if receiver)
        return [one for one, mute in muted if (silenced if mute else active)]


def _guarded(handler: Handler) -> Handler:
    async def run(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except RefusedError as refused:
            return _json(str(refused), refused.status)
        except reading.InvalidError as invalid:
            told = str(invalid) if invalid.code is None else {"code": invalid.code, "message": str(invalid)}
            return _json(told, invalid.status, newline=invalid.code is None)

    return run


def _filters(request: web.Request) -> list[Matcher]:
    try:
        return [matchers.parse(text) for text in request.query.getall("filter", [])]
    except ValueError as error:
        raise RefusedError(400, str(error)) from error


def _receiver(request: web.Request) -> bool:
    """Whether our only receiver is among those asked for."""
    pattern = request.query.get("receiver", "")
    try:
        matchers.check(pattern)
    except ValueError as error:
        raise RefusedError(400, f"failed to parse receiver param: {pattern}") from error
    return not pattern or re.fullmatch(pattern, RECEIVER) is not None


def _switch(request: web.Request, name: str) -> bool:
    return request.query.get(name, "true").lower() in _TRUE


def _ident(request: web.Request) -> str:
    given = request.match_info["id"]
    if not _UUID.fullmatch(given):
        raise reading.InvalidError(422, f'silenceID in path must be of type uuid: "{given}"', 601)
    return str(uuid.UUID(given))


def _json(value: object, status: int = 200, *, newline: bool = True, html: bool = True) -> web.Response:
    raw = dump(value, html=html and not isinstance(value, str))
    body = raw if newline else raw.rstrip(b"\n")
    return web.Response(body=body, status=status, content_type="application/json", headers={"Vary": "Origin"})


def _empty(status: int) -> web.Response:
    return web.Response(status=status, headers={"Vary": "Origin"})


async def _ok(_: web.Request) -> web.Response:
    return web.Response(text="OK")
