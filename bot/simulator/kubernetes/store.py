"""Versioned objects with a journal: what etcd and the watch cache are to a real API server."""

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.simulator.kubernetes import errors
from bot.simulator.kubernetes.kinds import Kind
from bot.simulator.kubernetes.wire import Json, meta, name_of, namespace_of, stamp

JOURNAL: Final = 4000
"""Changes kept for watches; older versions are answered 410, as after etcd's compaction."""

FIRST_VERSION: Final = 184_000

_SERVER_OWNED: Final = ("uid", "creationTimestamp", "namespace", "name")


@dataclass(frozen=True)
class Change:
    """One journal entry. *before* is None for a creation, *after* is the last state for a deletion."""

    version: int
    kind: Kind
    before: Json | None
    after: Json
    deleted: bool = False


class Store:
    """Objects of one cluster. The same object is handed to every reader: never change one in place."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._objects: dict[Kind, dict[tuple[str, str], Json]] = {}
        self._journal: deque[Change] = deque(maxlen=JOURNAL)
        self._floor = FIRST_VERSION
        self._news = asyncio.Event()
        self.version = FIRST_VERSION
        self.closed = False

    def find(self, kind: Kind, namespace: str, name: str) -> Json | None:
        return self._objects.get(kind, {}).get((namespace if kind.namespaced else "", name))

    def get(self, kind: Kind, namespace: str, name: str) -> Json:
        found = self.find(kind, namespace, name)
        if found is None:
            raise errors.not_found(kind.group, kind.plural, name)
        return found

    def all(self, kind: Kind, namespace: str = "") -> list[Json]:
        """Oldest first. An empty namespace means all of them."""
        table = self._objects.get(kind, {})
        return [obj for key, obj in table.items() if not namespace or key[0] == namespace]

    def create(self, kind: Kind, obj: Json, now: datetime, *, dry: bool = False) -> Json:
        """Store a new object; fills uid, creationTimestamp, generation. 409 AlreadyExists.

        *dry*: check and answer the same, store nothing.
        """
        key = self._key(kind, obj)
        if key in self._objects.get(kind, {}):
            raise errors.exists(kind.group, kind.plural, key[1])
        fresh: Json = {"uid": self.uid(), "creationTimestamp": stamp(now)} | meta(obj)
        if "spec" in obj:
            fresh["generation"] = 1
        stored = {"apiVersion": kind.api_version, "kind": kind.name} | obj | {"metadata": fresh}
        if dry:
            return stored
        self.version += 1
        fresh["resourceVersion"] = str(self.version)
        self._objects.setdefault(kind, {})[key] = stored
        self._record(Change(self.version, kind, None, stored))
        return stored

    def put(self, kind: Kind, obj: Json, *, dry: bool = False) -> Json:
        """Replace an object; an unchanged one keeps its version, a changed spec raises the generation.

        409 Conflict when *obj* names a resourceVersion that is not the stored one; 404 when it is gone.
        """
        key = self._key(kind, obj)
        before = self.get(kind, *key)
        given = meta(obj).get("resourceVersion")
        if given and given != meta(before)["resourceVersion"]:
            raise errors.conflict(kind.group, kind.plural, key[1])
        after = obj | {"metadata": self._metadata(before, obj)}
        if dry or after == before:
            return after
        self.version += 1
        after["metadata"]["resourceVersion"] = str(self.version)
        self._objects[kind][key] = after
        self._record(Change(self.version, kind, before, after))
        return after

    def remove(self, kind: Kind, namespace: str, name: str) -> Json:
        last = self.get(kind, namespace, name)
        del self._objects[kind][self._key(kind, last)]
        self.version += 1
        gone = last | {"metadata": meta(last) | {"resourceVersion": str(self.version)}}
        self._record(Change(self.version, kind, last, gone, deleted=True))
        return gone

    def changes(self, kind: Kind, since: int) -> Iterator[Change]:
        """Journal entries of *kind* after version *since*. 410 when the journal no longer reaches back."""
        if since < self._floor:
            raise errors.expired_version(since, self._floor)
        return (change for change in tuple(self._journal) if change.version > since and change.kind == kind)

    def too_old(self, version: int) -> bool:
        return version < self._floor

    def compact(self) -> None:
        """Forget the journal: every older resourceVersion and continue token is now 410."""
        self._journal.clear()
        self._floor = self.version

    async def news(self, deadline: float) -> None:
        """Return when something changed, at most *deadline* seconds later."""
        event = self._news
        try:
            async with asyncio.timeout(max(deadline, 0)):
                await event.wait()
        except TimeoutError:
            return

    def open(self) -> None:
        """Take watches again after a stop."""
        self.closed = False

    def close(self) -> None:
        """End every watch, so that the server can stop."""
        self.closed = True
        self._wake()

    def uid(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def suffix(self, length: int = 5) -> str:
        """Random tail of a generated name, from the alphabet Kubernetes uses."""
        return "".join(self._dice.choices("bcdfghjklmnpqrstvwxz2456789", k=length))

    def owned(self, kind: Kind, namespace: str, uid: str) -> list[Json]:
        """Objects controlled by the owner *uid*."""
        return [obj for obj in self.all(kind, namespace) if _owned_by(obj, uid)]

    @staticmethod
    def _key(kind: Kind, obj: Json) -> tuple[str, str]:
        return (namespace_of(obj) if kind.namespaced else "", name_of(obj))

    @staticmethod
    def _metadata(before: Json, after: Json) -> Json:
        old = meta(before)
        merged = meta(after) | {key: old[key] for key in _SERVER_OWNED if key in old}
        merged["resourceVersion"] = old["resourceVersion"]
        if "generation" in old:
            same = before.get("spec") == after.get("spec")
            merged["generation"] = old["generation"] + (0 if same else 1)
        return merged

    def _record(self, change: Change) -> None:
        if len(self._journal) == self._journal.maxlen:
            self._floor = self._journal[0].version
        self._journal.append(change)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _owned_by(obj: Json, uid: str) -> bool:
    owners: Iterable[Json] = meta(obj).get("ownerReferences") or ()
    return any(owner["uid"] == uid and owner.get("controller") for owner in owners)
