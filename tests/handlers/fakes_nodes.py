"""Nodes and the pods on them, in memory: an evicted pod ends at the next tick, and another serves elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase
from bot.ports.cluster import Workload
from bot.ports.evictions import Kin, Resident, Standing
from bot.ports.nodes import Node
from tests.handlers.fakes import FakeClock


def pod(name: str, kin: str = "web-6c9f7", namespace: str = "production", **values: object) -> Resident:
    """A pod of the controller *kin*; of nobody where that is empty."""
    standing = Standing("nyc2", namespace, name, f"uid-{name}", kin, f"app={kin}")
    return Resident(standing, f"replicaset/{kin}" if kin else "", **values)  # type: ignore[arg-type]


@dataclass
class FakeNodes:
    """``there``: pods by node name. ``away``: clusters that do not answer. ``done``: what was asked, once each."""

    clock: FakeClock
    known: list[Node] = field(default_factory=list)
    there: dict[str, list[Resident]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    refused: UserError | None = None
    done: list[tuple[str, str]] = field(default_factory=list)

    async def nodes(self, cluster: str) -> tuple[Node, ...]:
        if cluster in self.away:
            raise TemporaryError(f"{cluster} does not answer")
        if self.refused:
            raise self.refused
        return tuple(node for node in self.known if node.cluster == cluster)

    async def mark(self, node: Node, *, closed: bool) -> None:
        if node not in self.known:
            raise DriftError("Another machine is called {node} by now.", node=Code(node.name))
        if node.closed is not closed:
            self.done.append(("close" if closed else "open", node.name))
            self.becomes(node.name, closed=closed)

    async def residents(self, node: Node) -> tuple[Resident, ...]:
        if node.cluster in self.away:
            raise TemporaryError(f"{node.cluster} does not answer")
        return tuple(self.there.get(node.name, ()))

    def becomes(self, name: str, **changes: object) -> None:
        self.known = [replace(n, **changes) if n.name == name else n for n in self.known]  # type: ignore[arg-type]


@dataclass
class FakeEvictions:
    """``budgets``: by pod name, why it can't go now. ``stays``: pods that never end. ``barren``: controllers whose new
    pods never serve. ``serving``: by controller, pods that serve on no node of ``nodes``; ``made``: when its youngest
    was made that does not serve yet."""

    nodes: FakeNodes
    budgets: dict[str, Phrase] = field(default_factory=dict)
    hopeless: set[str] = field(default_factory=set)
    stays: set[str] = field(default_factory=set)
    barren: set[str] = field(default_factory=set)
    serving: dict[str, int] = field(default_factory=dict)
    made: dict[str, datetime] = field(default_factory=dict)
    pods_of: dict[Workload, list[Resident]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    rehearsed: list[str] = field(default_factory=list)

    async def pods(self, workload: Workload) -> tuple[Resident, ...]:
        return tuple(self.pods_of.get(workload, ()))

    async def evict(self, pod: Standing, *, rehearse: bool = False) -> Phrase | None:
        if pod.cluster in self.nodes.away:
            raise TemporaryError("no answer")
        if pod.name in self.hopeless:
            raise UserError("{pod} has several disruption budgets.", pod=Code(pod.name))
        if rehearse:
            self.rehearsed.append(pod.name)
        if (why := self.budgets.get(pod.name)) is not None or rehearse:
            return why
        self.done.append(pod.name)
        ends = self.nodes.clock.now() + timedelta(seconds=30)
        for pods in self._lists():
            pods[:] = [replace(each, ready=False, ends=ends) if each.pod == pod else each for each in pods]
        return None

    async def kin(self, pod: Standing) -> Kin:
        here = sum(each.ready for pods in self._lists() for each in pods if each.pod.kin == pod.kin)
        return Kin(here + self.serving.get(pod.kin, 0), self.made.get(pod.kin))

    def tick(self) -> None:
        """What was evicted is gone, and its controller has another one."""
        for pods in self._lists():
            for each in [each for each in pods if each.ends and each.pod.name not in self.stays]:
                pods.remove(each)
                if each.pod.kin and each.pod.kin not in self.barren:
                    self.serving[each.pod.kin] = self.serving.get(each.pod.kin, 0) + 1

    def _lists(self) -> list[list[Resident]]:
        return [*self.nodes.there.values(), *self.pods_of.values()]
