"""get, list and watch."""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from aiohttp import web

from bot.simulator.kubernetes import errors, selectors
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import Kind
from bot.simulator.kubernetes.store import Change
from bot.simulator.kubernetes.target import Target
from bot.simulator.kubernetes.wire import Json, name_of, namespace_of

BOOKMARK: Final = 10.0
"""Simulated seconds between bookmarks; the real server sends one about every minute."""
LONGEST_WATCH: Final = 1800.0
"""Wall seconds after which a watch without timeoutSeconds ends; the real server takes 30 to 60 minutes."""
POLL: Final = 1.0
"""Wall seconds after which an idle watch looks whether its region still stands."""


def get(cluster: Cluster, target: Target) -> Json:
    return cluster.store.get(target.kind(), target.namespace, target.name)


def listing(cluster: Cluster, target: Target, query: web.BaseRequest) -> Json:
    """A page of objects; built-in types carry no kind in their items, custom ones do."""
    kind, test = target.kind(), _test(query)
    found = sorted((obj for obj in cluster.store.all(kind, target.namespace) if test(obj)), key=_key)
    version, after = _position(cluster, query.query.get("continue", ""))
    found = [obj for obj in found if _key(obj) > after]
    limit = _number(query, "limit")
    page = found[:limit] if limit else found
    metadata: Json = {"resourceVersion": str(version)}
    if len(page) < len(found):
        metadata |= {"continue": _token(version, page[-1]), "remainingItemCount": len(found) - len(page)}
    items = page if kind.custom else [_bare(obj) for obj in page]
    return {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}


async def watch(cluster: Cluster, target: Target, request: web.Request) -> web.StreamResponse:
    """Stream changes until timeoutSeconds, the end of the server, or the region's fall."""
    kind, test = target.kind(), _test(request)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    with suppress(ConnectionResetError):  # the client left: that is how most watches end
        await _Watch(cluster, kind, target.namespace, test, response).run(request)
    return response


def attended(request: web.Request) -> bool:
    """Whether somebody still reads the answer: without anything to send, a lost client is not noticed otherwise."""
    return request.transport is not None and not request.transport.is_closing()


class _Watch:
    """One open watch: where it is in the journal and what it still has to send."""

    def __init__(
        self, cluster: Cluster, kind: Kind, namespace: str, test: selectors.Test, response: web.StreamResponse
    ) -> None:
        self._cluster = cluster
        self._kind = kind
        self._namespace = namespace
        self._test = test
        self._response = response
        self._at = 0

    async def run(self, request: web.Request) -> None:
        start = _number(request, "resourceVersion")
        if not start:
            await self._everything()
        else:
            self._at = start
        bookmarks = request.query.get("allowWatchBookmarks", "").lower() in ("true", "1")
        seconds = float(_number(request, "timeoutSeconds") or LONGEST_WATCH)
        try:
            await self._follow(request, seconds, bookmarks=bookmarks)
        except errors.StatusError as error:
            await self._send("ERROR", error.body())

    async def _everything(self) -> None:
        self._at = self._cluster.store.version
        for obj in self._cluster.store.all(self._kind, self._namespace):
            if self._test(obj):
                await self._send("ADDED", obj)

    async def _follow(self, request: web.Request, seconds: float, *, bookmarks: bool) -> None:
        store, began = self._cluster.store, self._cluster.now()
        marked = began
        while attended(request) and not store.closed and not self._cluster.down:
            await self._catch_up()
            now = self._cluster.now()
            left = seconds - (now - began).total_seconds()
            if bookmarks and (left <= 0 or self._cluster.passed(marked, now, BOOKMARK)):
                marked = now
                await self._bookmark()
            if left <= 0:
                return
            await store.news(min(left, POLL))

    async def _catch_up(self) -> None:
        store = self._cluster.store
        reached = store.version
        for change in store.changes(self._kind, self._at):
            for word, obj in self._seen(change):
                await self._send(word, obj)
        self._at = max(reached, self._at)

    def _seen(self, change: Change) -> Iterator[tuple[str, Json]]:
        """What a change looks like through the selectors: an object can enter or leave them."""
        if self._namespace and namespace_of(change.after) != self._namespace:
            return
        had = change.before is not None and self._test(change.before)
        has = not change.deleted and self._test(change.after)
        if had and has:
            yield "MODIFIED", change.after
        elif has:
            yield "ADDED", change.after
        elif had:
            yield "DELETED", change.after

    async def _bookmark(self) -> None:
        shell = {"kind": self._kind.name, "apiVersion": self._kind.api_version}
        await self._send("BOOKMARK", shell | {"metadata": {"resourceVersion": str(self._at)}})

    async def _send(self, word: str, obj: Json) -> None:
        await self._response.write(json.dumps({"type": word, "object": obj}).encode() + b"\n")


def _test(request: web.BaseRequest) -> selectors.Test:
    labels = selectors.labels(request.query.get("labelSelector", ""))
    fields = selectors.fields(request.query.get("fieldSelector", ""))
    return lambda obj: labels(obj) and fields(obj)


def _number(request: web.BaseRequest, name: str) -> int:
    given = request.query.get(name, "") or "0"
    if not given.isdecimal():
        raise errors.bad_request(f"{name}: Invalid value: {given!r}: must be a number")
    return int(given)


def _bare(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def _key(obj: Json) -> tuple[str, str]:
    return (namespace_of(obj), name_of(obj))


def _token(version: int, last: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, *_key(last)]).encode()).decode()


def _position(cluster: Cluster, token: str) -> tuple[int, tuple[str, str]]:
    """(version of the first page, key to go on after). 410 when that version is forgotten."""
    if not token:
        return cluster.store.version, ("", "")
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise errors.bad_request("continue key is not valid") from error
    if cluster.store.too_old(version):
        raise errors.expired_continue()
    return version, (namespace, name)
