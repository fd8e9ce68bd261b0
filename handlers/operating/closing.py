"""What closing a node would leave: seen when it is planned, and again before it is done."""

from __future__ import annotations

from collections.abc import Iterable

from bot.ports.nodes import Node

LAST = "last"
"""Name of the hold on the last node that takes pods, by which it is overridden."""


def others_take(node: Node, every: Iterable[Node]) -> bool:
    """Whether new pods would find another node of the cluster, of which *every* is known."""
    return any(each.ready and not each.closed for each in every if each.name != node.name)
