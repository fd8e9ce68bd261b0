"""Managed Kubernetes as the cloud sees it: clusters, node pools, nodes that take a while to come up."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.databases import new_id
from bot.simulator.digitalocean.errors import Json

PROVISIONING: Final = 4.0
"""Simulated seconds from an accepted resize to a running node."""


@dataclass(frozen=True)
class Node:
    id: str
    name: str
    droplet: str
    created: datetime
    ready: datetime

    def state(self, now: datetime) -> str:
        return "running" if now >= self.ready else "provisioning"


@dataclass
class Pool:
    id: str
    name: str
    size: str
    nodes: list[Node] = field(default_factory=list)
    auto_scale: bool = False
    min_nodes: int = 0
    max_nodes: int = 0
    prefix: str = ""
    """Of the names of its nodes, which are those of the Kubernetes nodes."""

    def scaled(self, body: Json) -> None:
        """Set what *body* says of scaling by itself. 422: no two numbers that it could keep between."""
        self.auto_scale = bool(body.get("auto_scale", self.auto_scale))
        if not self.auto_scale:
            self.min_nodes = self.max_nodes = 0
            return
        least, most = body.get("min_nodes", self.min_nodes), body.get("max_nodes", self.max_nodes)
        if not (isinstance(least, int) and isinstance(most, int) and 0 < least <= most):
            raise errors.unprocessable("min_nodes and max_nodes are required when auto_scale is enabled")
        self.min_nodes, self.max_nodes = least, most

    def resize(self, count: int, now: datetime, wait: float, dice: random.Random) -> None:
        """Grow with nodes that run after *wait* wall seconds, or drop the youngest at once."""
        del self.nodes[count:]
        while len(self.nodes) < count:
            number = 1 + max((int(node.name.rsplit("-", 1)[1]) for node in self.nodes), default=0)
            droplet = str(205_545_000 + dice.randrange(1000))
            ready = now + timedelta(seconds=wait)
            self.nodes.append(Node(new_id(dice), f"{self.prefix}{self.name}-{number}", droplet, now, ready))


@dataclass
class KubernetesCluster:
    id: str
    region: str
    address: str
    created: datetime
    pools: list[Pool] = field(default_factory=list)
