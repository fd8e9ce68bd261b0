"""What a failover moves: the database and the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Replication:
    """``lag`` in seconds, None when nobody knows. ``promoted``: the standby is a primary of its own already."""

    primary: str
    standby: str
    lag: float | None
    promoted: bool
    fenced: bool


class Database(Protocol):
    """TemporaryError: its API is out of reach, nothing is known."""

    async def replication(self) -> Replication: ...

    async def fence(self) -> None:
        """Make the old primary refuse the application's writes. Safe to repeat."""
        ...

    async def promote(self) -> None:
        """Ask for the standby's promotion; done when ``replication().promoted``. Safe to repeat."""
        ...


class Traffic(Protocol):
    """Where users' requests go."""

    async def region(self) -> str:
        """The region requests go to now, or an empty string when the target is none of ours."""
        ...

    async def shift(self, region: str) -> float:
        """Point traffic at *region*; seconds until resolvers have forgotten the old answer (the record's TTL)."""
        ...
