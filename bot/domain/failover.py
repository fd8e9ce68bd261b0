"""Failover: what moves from where to where, and whose word it takes. Only a strict majority of witnesses counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Sight(StrEnum):
    """What one witness says of the region. Missing data is UNKNOWN and no vote (promise 14)."""

    UP = "up"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Witness:
    """One independent view. Exactly one of the others is set.

    ``query``: lost where it answers 0. ``url``: lost where it gives no 2xx. ``cluster``: lost where its API server does
    not answer. ``uptime``: lost where a majority of this DigitalOcean check's regions says DOWN. ``database``: lost
    where the primary's server is gone and no newer heartbeat came.
    """

    name: str
    query: str = ""
    url: str = ""
    cluster: str = ""
    uptime: str = ""
    database: bool = False

    @property
    def own(self) -> bool:
        """Whether it looks from where pult stands, so that it is no better than pult's own way out."""
        return bool(self.url or self.cluster or self.database)


@dataclass(frozen=True)
class Way:
    """From one region to the other, by cluster name. A failback goes the other way round."""

    source: str
    target: str

    @property
    def back(self) -> Way:
        """The same the other way round."""
        return Way(self.target, self.source)


@dataclass(frozen=True)
class Place:
    """Where one region's services read the database's address: ``secret`` and ``key`` in Kubernetes, or a git file.

    ``key`` is the Secret's key, or the dotted path inside the YAML ``file`` of ``repo`` on ``branch``.
    """

    region: str
    namespace: str = ""
    secret: str = ""
    key: str = ""
    repo: str = ""
    file: str = ""
    branch: str = "main"


@dataclass(frozen=True)
class Room:
    """What the standby must have before it is promoted: pods of a workload, and machines of a pool for them.

    ``replicas``: pods at least, 0: as many as the source has. ``nodes``: machines at least, 0: the pool stays as it is.
    """

    service: str
    replicas: int = 0
    pool: str = ""
    nodes: int = 0


@dataclass(frozen=True)
class Move:
    """What moves along ``way``. ``environment``: how the names of the environments that move begin; empty: all but
    staging's. ``places`` in the order in which the services that read them are restarted.
    """

    way: Way
    environment: str = ""
    places: tuple[Place, ...] = ()
    rooms: tuple[Room, ...] = ()
    probes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """The two regions of one failover, and when one is called for.

    ``rpo``: lag up to which no override is needed; ``rto``: the goal, from the loss to a verified other region;
    ``hold``: how long the witnesses' majority must last; ``fresh``: how old their word may be; ``staging``: what a live
    drill moves. ``schedule``: when a rehearsal is proposed ("first Mon 10:00"), empty: never; ``answer``: how long
    people on call have to press its button, None: they are not asked.
    """

    move: Move
    rpo: timedelta
    witnesses: tuple[Witness, ...]
    rto: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(minutes=3)
    fresh: timedelta = timedelta(minutes=2)
    cooldown: timedelta = timedelta(minutes=30)
    automatic: bool = False
    staging: Move | None = None
    schedule: str = ""
    answer: timedelta | None = None

    @property
    def source(self) -> str:
        """Cluster that is primary as configured."""
        return self.move.way.source

    @property
    def target(self) -> str:
        """Cluster that takes over."""
        return self.move.way.target


def lost(sights: Iterable[Sight]) -> bool:
    """Whether a strict majority of all witnesses, at least three, says that the region is lost (ruling 25)."""
    said = tuple(sights)
    return len(said) >= 3 and said.count(Sight.LOST) * 2 > len(said)
