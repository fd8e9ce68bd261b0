"""Evictions: a pod asked to go in such a way that disruption budgets have a say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.phrases import Phrase
from bot.ports.cluster import Workload


@dataclass(frozen=True)
class Standing:
    """One pod and no other: a StatefulSet gives the next one the same name, but never the same ``uid``.

    ``kin``: uid of its controller, empty without one. ``alike``: a label selector that finds all pods of that.
    """

    cluster: str
    namespace: str
    name: str
    uid: str
    kin: str = ""
    alike: str = ""


@dataclass(frozen=True)
class Resident:
    """A pod where it runs. ``owner``: its controller as kind/name; empty: nobody makes it anew.

    ``stays``: a DaemonSet's, or a mirror of a file on the node: eviction would bring it right back. ``scratch``: it has
    an emptyDir, which is lost with it. ``ends``: by when it was told to be gone; None: it was not told to go.
    """

    pod: Standing
    owner: str
    stays: bool = False
    scratch: bool = False
    ready: bool = True
    ends: datetime | None = None


@dataclass(frozen=True)
class Kin:
    """The pods of one controller: how many serve, and when the youngest was made of those that do not serve yet.

    Those that were told to go count as neither.
    """

    serving: int
    youngest: datetime | None = None


class Evictions(Protocol):
    """UserError: RBAC forbids (says which verb), or a pod that can never be evicted. TemporaryError: out of reach."""

    async def pods(self, workload: Workload) -> tuple[Resident, ...]:
        """Those that its own selector finds."""
        ...

    async def evict(self, pod: Standing, *, rehearse: bool = False) -> Phrase | None:
        """Ask it to go: None, when it goes or is gone. Else why not now: a disruption budget's own words.

        *rehearse*: only ask whether it might (``dryRun=All``).
        """
        ...

    async def kin(self, pod: Standing) -> Kin:
        """The pods of the same controller, itself among them."""
        ...
