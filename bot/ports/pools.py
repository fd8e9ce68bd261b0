"""Machines of a region's cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Pool:
    """Machines of one node pool. ``limit``: how many there may be at most (quota or autoscaling); None: unknown."""

    name: str
    count: int
    ready: int
    auto_scale: bool
    limit: int | None = None


class Pools(Protocol):
    """Node pools of a region's cluster. TemporaryError: the cloud's API is out of reach."""

    async def pools(self, region: str) -> tuple[Pool, ...]: ...

    async def resize(self, region: str, pool: str, count: int) -> None:
        """Ask for *count* machines, never for fewer than there are. Safe to repeat."""
        ...
