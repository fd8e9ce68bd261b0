"""The control interface of the world: look at it, break it, make it speak. Not a part of any real vendor."""

import json
import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, fields, replace
from typing import Final

from aiohttp import web

from bot.simulator.alertmanager import Manager
from bot.simulator.faults import DEFAULT_DELAY
from bot.simulator.prometheus import Metrics
from bot.simulator.settings import Target
from bot.simulator.view import fault_view, world_view
from bot.simulator.webhooks import Outbound, failed
from bot.simulator.world import World

Json = dict[str, object]
Handler = Callable[[web.Request], Awaitable[web.Response]]
_TARGET_KEYS: Final = tuple(field.name for field in fields(Target))


class MistakeError(ValueError):
    """A request that cannot be followed; the text is for its sender."""


class Control:
    def __init__(self, world: World, metrics: Metrics, manager: Manager, outbound: Outbound) -> None:
        self._world = world
        self._metrics = metrics
        self._manager = manager
        self._outbound = outbound

    def routes(self) -> Iterator[web.RouteDef]:
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/world", self._show),
            ("GET", "/world/fault", self._faults),
            ("POST", "/world/fault", self._start),
            ("DELETE", "/world/fault", self._stop),
            ("POST", "/world/alert", self._alert),
            ("POST", "/world/release", self._release),
            ("POST", "/world/github", self._github),
            ("GET", "/world/target", self._target),
            ("POST", "/world/target", self._aim),
        )
        for method, path, handler in table:
            yield web.route(method, path, _explained(handler))

    async def _show(self, _: web.Request) -> web.Response:
        view = world_view(self._world, self._metrics, self._manager)
        return web.json_response(view | {"target": self._outbound.target.url or None})

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response([fault_view(fault) for fault in self._world.faults.listed()])

    async def _start(self, request: web.Request) -> web.Response:
        body = await _body(request)
        delay = _number(body, "delay")
        fault = self._world.faults.start(
            str(body.get("fault", "")),
            str(body.get("target", "")),
            _number(body, "seconds"),
            value=_number(body, "value"),
            delay=DEFAULT_DELAY if delay is None else delay,
        )
        self._metrics.look()
        return web.json_response(fault_view(fault))

    async def _stop(self, request: web.Request) -> web.Response:
        """All of them, or the one named by ``?fault=&target=``."""
        if "fault" in request.query:
            if not self._world.faults.stop(request.query["fault"], request.query.get("target", "")):
                raise MistakeError("This fault is not on.")
        else:
            self._world.faults.clear()
        self._metrics.look()
        return web.json_response({"faults": [fault_view(fault) for fault in self._world.faults.listed()]})

    async def _alert(self, request: web.Request) -> web.Response:
        body = await _body(request)
        labels, annotations = _texts(body, "labels"), _texts(body, "annotations")
        if not labels.get("alertname"):
            raise MistakeError("Give labels with at least an alertname.")
        resolve = body.get("resolve", False) is True
        try:
            alert = self._manager.by_hand(labels, annotations, resolve=resolve)
        except LookupError as error:
            raise MistakeError(str(error.args[0])) from error
        status = "resolved" if resolve else "firing"
        return web.json_response({"fingerprint": alert.fingerprint, "status": status})

    async def _release(self, request: web.Request) -> web.Response:
        status, sent = await self._outbound.release(await _body(request))
        return _delivered(status, {"sent": sent})

    async def _github(self, request: web.Request) -> web.Response:
        body = await _body(request)
        event, payload = body.get("event"), body.get("payload")
        if not isinstance(event, str) or not isinstance(payload, dict):
            raise MistakeError("Give event, a word, and payload, an object.")
        return _delivered(await self._outbound.github(event, payload), {})

    async def _target(self, _: web.Request) -> web.Response:
        return web.json_response(asdict(self._outbound.target))

    async def _aim(self, request: web.Request) -> web.Response:
        body = await _body(request)
        unknown = sorted(body.keys() - set(_TARGET_KEYS))
        if unknown or not all(isinstance(value, str) for value in body.values()):
            raise MistakeError(f"A target has texts only: {', '.join(_TARGET_KEYS)}.")
        words = {name: str(value) for name, value in body.items()}
        self._outbound.target = replace(self._outbound.target, **words | _trimmed(words))
        return web.json_response(asdict(self._outbound.target))


def _trimmed(words: dict[str, str]) -> dict[str, str]:
    return {"url": words["url"].rstrip("/")} if "url" in words else {}


def _explained(handler: Handler) -> Handler:
    """Wrong input gets 400 and a sentence."""

    async def run(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)

    return run


def _delivered(status: int | None, told: Json) -> web.Response:
    """502 when pult did not take it."""
    if not failed(status):
        return web.json_response(told | {"status": status})
    reason = "There was no answer from the target." if status is None else f"The target answered {status}."
    return web.json_response(told | {"status": status, "error": reason}, status=502)


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise MistakeError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise MistakeError("The body must be a JSON object.")
    return body


def _number(body: Json, name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MistakeError(f"{name} must be a number.")
    return float(value)


def _texts(body: Json, name: str) -> dict[str, str]:
    given = body.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise MistakeError(f"{name} must be an object of texts.")
    return {key: value for key, value in given.items() if value or name != "labels"}
