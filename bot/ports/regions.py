"""What a failover moves: the database and the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.failover import Way


@dataclass(frozen=True)
class Replication:
    """How the two servers of a way stand. ``lag`` in seconds and ``behind`` in bytes of WAL: None when nobody knows.

    ``promoted``: the target's server is a primary of its own already. ``fenced``: it is *seen* that the source's
    server takes no more of the application's writes. ``reachable``: the source's server answers.
    """

    primary: str
    standby: str
    lag: float | None
    promoted: bool
    fenced: bool
    behind: int | None = None
    reachable: bool = True


class Database(Protocol):
    """One replicated database. TemporaryError: its API or server is out of reach, nothing is known."""

    async def replication(self, way: Way) -> Replication: ...

    async def fence(self, way: Way) -> None:
        """Make the source's server refuse the application's writes. Safe to repeat."""
        ...

    async def unfence(self, way: Way) -> None:
        """Take the fence away again. UserError once the target's server is promoted. Safe to repeat."""
        ...

    async def promote(self, way: Way) -> None:
        """Ask for the promotion of the target's server; done when ``replication(way).promoted``. Safe to repeat."""
        ...

    async def rejoin(self, way: Way) -> None:
        """Make the target's fenced old server a standby of the source's: what a failback along *way* begins with.

        Asks for it; done when ``replication(way)`` knows a lag. Safe to repeat.
        """
        ...

    async def beats(self, region: str) -> bool:
        """Whether the server in *region* works: it takes the heartbeat, or a managed one says that it is online."""
        ...

    async def address(self, region: str) -> str:
        """``host:port`` under which services reach the server in *region*; no secret."""
        ...


class Traffic(Protocol):
    """Where users' requests go."""

    async def region(self) -> str:
        """The region requests go to now, or an empty string when the target is none of ours."""
        ...

    async def shift(self, region: str) -> float:
        """Point traffic at *region*; seconds until resolvers have forgotten the old answer (the record's TTL)."""
        ...

    async def ttl(self) -> float:
        """Seconds for which an answer given now may be remembered."""
        ...
