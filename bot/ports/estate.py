"""All that one move has its hands on besides the clusters' workloads."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports.connections import Connections
from bot.ports.pools import Pools
from bot.ports.regions import Database, Traffic


@dataclass(frozen=True)
class Estate:
    """Of production, or of what a live drill moves."""

    database: Database
    traffic: Traffic
    connections: Connections
    pools: Pools
