"""Which managed PostgreSQL servers belong to one pair, and what each of them is. Pure: JSON in, values out.

A promoted replica becomes a cluster of its own and a rejoined one gets a new name, so servers are told by region and by
lineage: each is made of the one before it, hence the youngest primary is the one that counts, whatever else is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Item = Mapping[str, Any]
ONLINE: Final = frozenset({"online", "active"})
"""The second is what the text on new replicas calls it (digitalocean/openapi, databases_create_replica)."""
BORN: Final = frozenset({"creating", "forking"})
"""Statuses of what is on its way to be a server of its own (digitalocean/openapi, database_cluster_read)."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_STEM: Final = 30
"""Characters of the configured name that go into a new one: 63 are allowed in all."""


@dataclass(frozen=True)
class Server:
    """One cluster, or one replica of the cluster *owner*. ``address``: host:port, the private one where there is one.

    ``size`` and ``storage`` (MiB, 0: what comes with the size) are what a replica of it needs at least.
    """

    ident: str
    name: str
    region: str
    status: str
    created: datetime
    address: str
    owner: str = ""
    size: str = ""
    storage: int = 0

    @property
    def online(self) -> bool:
        return self.status in ONLINE


@dataclass(frozen=True)
class Family:
    """The pair as configured: id of the first primary, id or name of its replica. Knows its own rejoined replicas."""

    primary: str
    standby: str

    def has(self, server: Server) -> bool:
        """Whether it is one of the pair, under whatever name it has by now."""
        named = bool({server.ident, server.name} & {self.primary, self.standby})
        return named or re.fullmatch(rf"{re.escape(self._stem(server.region))}\d+", server.name) is not None

    def free_name(self, region: str, taken: Iterable[str]) -> str:
        """For a new replica in *region*: one that ``has`` knows again, when the primary that it was made of is gone."""
        names = set(taken)
        number = next(number for number in range(1, len(names) + 2) if f"{self._stem(region)}{number}" not in names)
        return f"{self._stem(region)}{number}"

    def _stem(self, region: str) -> str:
        known = self.primary[:8] if _UUID.fullmatch(self.primary) else self.primary[:_STEM]
        return f"{known}-{region}-pult-"


@dataclass(frozen=True)
class Lineage:
    """The servers of one pair. ``primaries``: oldest first, those that only come into being included."""

    primaries: tuple[Server, ...]
    replicas: tuple[Server, ...] = ()

    @property
    def current(self) -> Server | None:
        """The primary that counts: the youngest that is one already."""
        return next((each for each in reversed(self.primaries) if each.status not in BORN), None)

    def standby(self, region: str) -> Server | None:
        """The current primary's replica in *region*; the youngest, where there are several."""
        found = (each for each in reversed(self.replicas) if each.region == region)
        return next(found, None)

    def promoted(self, region: str) -> bool:
        """Whether the primary that counts stands in *region* and takes connections."""
        return self.current is not None and self.current.region == region and self.current.online

    def under_way(self, region: str) -> bool:
        """Whether a promotion in *region* was asked for and is not finished."""
        coming = any(each.status in BORN for each in self.primaries if each.region == region)
        standby = self.standby(region)
        return coming or (standby is not None and standby.status == "forking")

    def there(self, region: str) -> tuple[Server, ...]:
        """Every primary in *region*, oldest first: left-overs of earlier moves, too."""
        return tuple(each for each in self.primaries if each.region == region and each.status not in BORN)

    def serving(self, region: str) -> Server | None:
        """The server that services in *region* are to use: the primary that counts, or its replica."""
        if self.current is not None and self.current.region == region:
            return self.current
        return self.standby(region)


def clusters(answer: Item, family: Family) -> tuple[Server, ...]:
    """The family's clusters in a list of all, oldest first. KeyError, ValueError…: it is no such list."""
    found = (_server(each) for each in answer["databases"] or ())
    return tuple(sorted((each for each in found if family.has(each)), key=lambda each: each.created))


def replicas(answer: Item, owner: Server) -> tuple[Server, ...]:
    """All replicas of *owner*, oldest first."""
    found = (_server(each, owner.ident) for each in answer["replicas"] or ())
    return tuple(sorted(found, key=lambda each: each.created))


def _server(item: Item, owner: str = "") -> Server:
    where = item.get("private_connection") or item.get("connection") or {}
    host, port = str(where.get("host") or ""), where.get("port") or 0
    return Server(
        str(item.get("id") or ""), str(item["name"]), str(item.get("region") or ""), str(item.get("status") or ""),
        datetime.fromisoformat(str(item["created_at"])), f"{host}:{port}" if host and port else "", owner,
        str(item.get("size") or ""), int(item.get("storage_size_mib") or 0),
    )  # fmt: skip
