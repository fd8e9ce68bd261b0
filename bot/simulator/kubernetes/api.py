"""One HTTP handler for the whole API: authenticate, authorise, dispatch, and put refusals into words."""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

import yaml
from aiohttp import web

from bot.simulator.kubernetes import discovery, errors, logs, patches, reads, subresources, virtual, writes
from bot.simulator.kubernetes.cluster import Call, Cluster
from bot.simulator.kubernetes.target import Target, parse, verb
from bot.simulator.kubernetes.wire import Json
from bot.simulator.kubernetes.writes import Options

TOKEN: Final = "sim-k8s-token"  # noqa: S105 - the simulator's published token
OVERLOAD: Final = 2
"""Retry-After, in seconds, while the fault ``ratelimit`` is on."""
_HEALTH: Final = ("/healthz", "/livez", "/readyz")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handler(cluster: Cluster, fault_target: str) -> Handler:
    """The handler of one cluster. *fault_target*: the name under which faults speak of this surface."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if cluster.down:
            return _drop(request)
        try:
            _authenticate(request)
            if cluster.world.faults.active("ratelimit", fault_target):
                raise errors.overloaded(OVERLOAD)
            return await _answer(cluster, request)
        except errors.StatusError as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            return _json(error.body(), error.code, headers)

    return handle


def _drop(request: web.Request) -> web.Response:
    """A dead region does not answer: the connection just ends."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _authenticate(request: web.Request) -> None:
    """Health is open to everyone, as the role ``system:public-info-viewer`` has it."""
    public = "/" + request.match_info["path"] in _HEALTH
    if not public and request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise errors.unauthorized()


async def _answer(cluster: Cluster, request: web.Request) -> web.StreamResponse:
    path = "/" + request.match_info["path"]
    target = parse(path)
    if target is None:
        return _nonresource(path)
    watching = request.query.get("watch", "").lower() in ("true", "1")
    word = verb(request.method, target, watch=watching)
    call = Call(word, target.group, target.resource, target.namespace, target.name)
    cluster.calls.append(call)
    if not cluster.allowed(call):
        raise errors.forbidden(word, target.group, target.resource, target.name, target.namespace)
    if virtual.serves(target):
        status, body = virtual.answer(cluster, target, word, await _body(request))
        return _json(body, status)
    target.kind()
    if request.method in ("GET", "HEAD"):
        return await _read(cluster, target, word, request)
    return await _write(cluster, target, word, request)


def _nonresource(path: str) -> web.Response:
    if path in _HEALTH:
        return web.Response(text="ok")
    found = discovery.answer(path)
    if found is None:
        raise errors.no_such_type()
    return _json(found)


async def _read(cluster: Cluster, target: Target, word: str, request: web.Request) -> web.StreamResponse:
    if word == "watch":
        return await reads.watch(cluster, target, request)
    if word == "list":
        return _json(reads.listing(cluster, target, request))
    match target.subresource:
        case "log" if target.plural == "pods":
            return await logs.log(cluster, target, request)
        case "scale" if target.kind().scalable:
            return _json(subresources.scale(cluster, target))
        case "" | "status":
            return _json(reads.get(cluster, target))
        case _:
            raise errors.no_such_type()


async def _write(cluster: Cluster, target: Target, word: str, request: web.Request) -> web.Response:
    body, options = await _body(request), _options(request)
    content_type = request.content_type if word == "patch" else ""
    match word, target.subresource:
        case "create", "eviction" if target.plural == "pods":
            return _json(subresources.evict(cluster, target, body, options), 201)
        case "create", "" if not target.name:
            return _json(writes.create(cluster, target, body, options), 201)
        case "update" | "patch", "scale" if target.kind().scalable:
            return _json(subresources.rescale(cluster, target, content_type, body, options))
        case "update", "" | "status":
            return _json(writes.update(cluster, target, body, options))
        case "patch", "" | "status":
            return _json(writes.patch(cluster, target, content_type, body, options))
        case "delete", "":
            return _json(writes.delete(cluster, target, body, options))
        case _:
            raise errors.not_allowed()


def _options(request: web.Request) -> Options:
    dry = request.query.getall("dryRun", [])
    if any(value != "All" for value in dry):
        raise errors.bad_request(f'Invalid value: {dry}: dryRun: supported values: "All"')
    agent = request.headers.get("User-Agent", "unknown").split("/")[0]
    manager = request.query.get("fieldManager", "")
    manager = manager if request.content_type == patches.APPLY else manager or agent
    return Options(bool(dry), manager, request.query.get("force") == "true")


async def _body(request: web.Request) -> Any:  # noqa: ANN401 - an object, or a list for a JSON patch
    text = await request.text()
    if not text:
        return {}
    try:
        found = yaml.safe_load(text) if request.content_type == patches.APPLY else json.loads(text)
    except (ValueError, yaml.YAMLError) as error:
        raise errors.bad_request(f"couldn't read the body: {error}") from error
    listed = request.content_type == patches.JSON_PATCH
    if not isinstance(found, list if listed else dict):
        raise errors.bad_request("the body has the wrong shape for its content type")
    if not listed and not _well_formed(found):
        raise errors.bad_request("metadata, spec and status are objects")
    return found


def _well_formed(body: Any) -> bool:  # noqa: ANN401 - whatever was sent
    """What the real server's decoder insists on before anything else looks at an object."""
    parts = [body.get(key) for key in ("metadata", "spec", "status")]
    labels = (body.get("metadata") or {}).get("labels") if isinstance(body.get("metadata"), dict) else None
    return all(part is None or isinstance(part, dict) for part in [*parts, labels])


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    audit = {"Audit-Id": str(uuid.uuid4()), "Cache-Control": "no-cache, private"}
    return web.json_response(body, status=status, headers=audit | (headers or {}))
