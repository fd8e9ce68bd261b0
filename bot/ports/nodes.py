"""Nodes: closed to new pods, emptied of those they have, opened again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.ports.evictions import Resident


@dataclass(frozen=True)
class Node:
    """``uid`` changes when another machine takes the name. ``ready``: its kubelet answers. ``closed``: cordoned."""

    cluster: str
    name: str
    uid: str
    ready: bool
    closed: bool


class Nodes(Protocol):
    """UserError: no such node, or RBAC forbids (says which verb). TemporaryError: API server out of reach."""

    async def nodes(self, cluster: str) -> tuple[Node, ...]: ...

    async def mark(self, node: Node, *, closed: bool) -> None:
        """Close it to new pods, or open it; what is so already is left alone.

        DriftError: another machine has its name by now, or it changes too fast to be patched.
        """
        ...

    async def residents(self, node: Node) -> tuple[Resident, ...]:
        """Every pod on it, of all namespaces."""
        ...
