"""Machines: those of the node pools, and two that run a PostgreSQL of the department's own. Their power can be cut."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.nodes import KubernetesCluster
from bot.simulator.world import World

POWER: Final = 2.0
"""Simulated seconds from an accepted action to its end."""
LIMIT: Final = 25
"""Machines that the account may have."""
SELF_RUN: Final = {305_545_370: ("pg-nyc2", "nyc2"), 305_545_371: ("pg-sfo3", "sfo3")}
"""Id → name and region."""
_ENDS: Final = {
    "power_off": "off", "shutdown": "off", "power_on": "active", "power_cycle": "active", "reboot": "active",
}  # fmt: skip
"""What a machine is after each action (digitalocean/openapi, dropletActions_post)."""


@dataclass(frozen=True)
class Droplet:
    id: int
    name: str
    region: str
    status: str
    created: datetime


@dataclass
class Action:
    """One order to one machine; it ends at *ends*, or never while the machine's region is dead."""

    id: int
    kind: str
    droplet: Droplet
    started: datetime
    ends: datetime
    done: bool = False


class Droplets:
    """What is on and what is off. Orders are settled whenever somebody looks."""

    def __init__(self, world: World, clusters: dict[str, KubernetesCluster], born: datetime) -> None:
        self._world, self._clusters, self._born = world, clusters, born
        self._status = dict.fromkeys(SELF_RUN, "active")
        self.actions: dict[int, Action] = {}

    def listed(self) -> list[Droplet]:
        self._settle()
        own = [Droplet(ident, *SELF_RUN[ident], self._status[ident], self._born) for ident in SELF_RUN]
        nodes = [
            Droplet(int(node.droplet), node.name, cluster.region, "active", node.created)
            for cluster in self._clusters.values()
            for pool in cluster.pools
            for node in pool.nodes
        ]
        return own + nodes

    def left(self) -> int:
        """Machines that the account may still have."""
        return LIMIT - len(self.listed())

    def find(self, ident: str) -> Droplet:
        """404 when there is none with this id."""
        found = next((each for each in self.listed() if str(each.id) == ident), None)
        if found is None:
            raise errors.not_found()
        return found

    def act(self, ident: str, kind: str) -> Action:
        """Accept an order; 422 while another one is under way, or for what this API does not know."""
        found, now = self.find(ident), self._world.clock.now()
        if kind not in _ENDS or found.id not in SELF_RUN:
            raise errors.unprocessable("You specified an invalid action for this Droplet.")
        if any(not each.done for each in self.actions.values() if each.droplet.id == found.id):
            raise errors.unprocessable("Droplet already has a pending event.")
        number = 36_804_636 + len(self.actions)
        ends = now + timedelta(seconds=self._world.seconds(POWER))
        self.actions[number] = Action(number, kind, found, now, ends)
        return self.actions[number]

    def action(self, ident: str) -> Action:
        """404 when there is none with this id."""
        self._settle()
        found = next((each for each in self.actions.values() if str(each.id) == ident), None)
        if found is None:
            raise errors.not_found()
        return found

    def _settle(self) -> None:
        now = self._world.clock.now()
        for each in self.actions.values():
            if not each.done and now >= each.ends and not self._world.faults.active("region_down", each.droplet.region):
                each.done = True
                self._status[each.droplet.id] = _ENDS[each.kind]
