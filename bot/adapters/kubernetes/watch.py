"""The Feed port: list and watch of one kind of object in one namespace, as raw JSON, a little at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from random import Random
from typing import Any, Final, NamedTuple

from bot.adapters.kubernetes import sights
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.resources import CERTIFICATE, ROLLOUT, Resource
from bot.adapters.kubernetes.verdicts import Answer, ExpiredError, UnknownTypeError, verdict
from bot.domain.sights import Kind, Place, Sight
from bot.ports.watching import AbsentError, Change, Page, StaleError

log = logging.getLogger(__name__)

PAGE: Final = 100
"""Objects of one part of a list: some hundred kilobytes, which are parsed in a few milliseconds."""
SHORTEST, LONGEST = 240, 480
"""Seconds of one watch, by chance, so that all of them do not end together; client-go's are 5 to 10 minutes."""
SILENCE: Final = 150.0
"""Seconds without a byte after which a connection is dead: a server sends a bookmark about every minute."""
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


class _Call(NamedTuple):
    group: str
    method: str


CALLS: Final[Mapping[Kind, _Call]] = {
    Kind.POD: _Call("CoreV1Api", "list_namespaced_pod"),
    Kind.DEPLOYMENT: _Call("AppsV1Api", "list_namespaced_deployment"),
    Kind.STATEFULSET: _Call("AppsV1Api", "list_namespaced_stateful_set"),
    Kind.DAEMONSET: _Call("AppsV1Api", "list_namespaced_daemon_set"),
    Kind.JOB: _Call("BatchV1Api", "list_namespaced_job"),
}
CUSTOM: Final[Mapping[Kind, Resource]] = {Kind.ROLLOUT: ROLLOUT, Kind.CERTIFICATE: CERTIFICATE}


class KubernetesFeed:
    """One place of one cluster."""

    def __init__(self, api: Api, place: Place, dice: Random | None = None) -> None:
        self._api, self._place = api, place
        self._dice = dice or Random()  # noqa: S311 - no secret
        custom = CUSTOM.get(place.kind)
        self._call = CALLS.get(place.kind) or _Call("CustomObjectsApi", "list_namespaced_custom_object")
        self._where = (*custom[:2], place.namespace, custom[2]) if custom else (place.namespace,)

    @property
    def place(self) -> Place:
        return self._place

    async def page(self, rest: str) -> Page:
        """A part of the list. A continue token that is too old means that the list begins anew (StaleError)."""
        options: dict[str, Any] = {"limit": PAGE, **({"_continue": rest} if rest else {})}
        try:
            answer = await self._api.call(*self._call, *self._where, **options)
        except ExpiredError as error:
            raise StaleError(str(error)) from error
        except UnknownTypeError as error:
            raise AbsentError(error.phrase.text, **error.phrase.values) from error
        meta = answer.get("metadata") or {}
        found = {each["metadata"]["name"]: self._sight(each) for each in answer.get("items") or ()}
        known = {name: sight for name, sight in found.items() if sight is not None}
        return Page(known, str(meta.get("resourceVersion", "")), meta.get("continue") or "")

    async def changes(self, version: str) -> AsyncGenerator[tuple[Change, ...], None]:
        """What changed since *version*. StaleError: the server has forgotten it (410, at once or in the stream)."""
        seconds = self._dice.randint(SHORTEST, LONGEST)
        options: dict[str, Any] = {"resource_version": version, "allow_watch_bookmarks": True}
        lines = self._api.lines(*self._call, *self._where, seconds=seconds, silence=SILENCE, **options)
        try:
            async with aclosing(lines) as told:
                async for part in told:
                    yield tuple(self._changes(part))
        except ExpiredError as error:
            raise StaleError(str(error)) from error

    def _changes(self, lines: Iterable[bytes]) -> Iterable[Change]:
        for line in lines:
            event = json.loads(line)
            obj = event["object"]
            if event["type"] == "ERROR":
                raise verdict(Answer(int(obj.get("code") or 500), "", obj), self._place.cluster)
            meta = obj["metadata"]
            if event["type"] == "BOOKMARK":
                yield Change(meta["resourceVersion"])
            else:
                sight = None if event["type"] == "DELETED" else self._sight(obj)
                known = sight is not None or event["type"] == "DELETED"
                yield Change(meta["resourceVersion"], meta["name"] if known else "", sight)

    def _sight(self, obj: Object) -> Sight | None:
        """None, and said in the log, for what no controller would write: one odd object must not blind a watch."""
        try:
            return sights.sight(self._place.kind, obj)
        except _MALFORMED as error:
            extra = {"place": " ".join(self._place), "error": f"{type(error).__name__}: {error}"}
            log.warning("an object can't be read", extra=extra)
            return None


def feeds(apis: Mapping[str, Api], places: Iterable[Place]) -> tuple[KubernetesFeed, ...]:
    """One feed for each of *places* in a configured cluster."""
    return tuple(KubernetesFeed(apis[place.cluster], place) for place in places if place.cluster in apis)
