"""What kube-state-metrics and the kubelets' cAdvisor tell: requests, use, machines. A pure function of time."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.simulator.faults import REGIONS
from bot.simulator.kubernetes.objects import NODES, REPLICAS
from bot.simulator.prometheus.history import DEPTH, History
from bot.simulator.prometheus.timeline import Timeline
from bot.simulator.prometheus.wave import DAY

MIB: Final = 2**20
ASKED: Final = {"cpu": 0.1, "memory": 128.0 * MIB}
"""Requests of every container (kubernetes/objects.py)."""
MACHINE: Final = {"cpu": 4.0, "memory": 8_152_400 * 1024.0}
"""Of every node: cores and bytes."""
HASH: Final = "7d9f8b6c5d"
"""Template hash in the names of all pods: they are not those of the clusters, whose pods come and go."""
TAILS: Final = ("b4k8x", "c7m2z", "d9p5w", "f6q4t", "g8r7v", "h2s9n")


@dataclass(frozen=True)
class Appetite:
    """*cpu*: core-seconds that one request takes. *base*: cores of an idle pod. *memory*: MiB of one pod."""

    cpu: float
    base: float
    memory: float


LIMIT: Final = 512.0 * MIB
"""Memory limit of every container (kubernetes/objects.py)."""
KILLED: Final = {"bots"}
"""Whose first pod ran out of memory some days ago: a sudden batch that no sample has seen."""
KILLED_AT: Final = 4 * DAY
"""Seconds ago, when the history began to be told."""


APPETITES: Final = {
    "api": Appetite(0.0016, 0.01, 210.0),
    "bots": Appetite(0.0008, 0.005, 96.0),
    "worker": Appetite(0.0022, 0.005, 60.0),
    "web": Appetite(0.0003, 0.003, 40.0),
}
STAGING: Final = Appetite(0.0, 0.002, 55.0)


@dataclass(frozen=True)
class Told:
    """A gauge, None where nothing tells it."""

    name: str
    place: dict[str, str]
    read: Callable[[float], float | None]


@dataclass(frozen=True)
class Counted:
    """A counter that grows while *timeline* lives."""

    name: str
    place: dict[str, str]
    count: Callable[[float], float]
    timeline: Timeline


def containers(history: History) -> Iterator[Told | Counted]:
    """Of every pod and node. A region that is down tells nothing."""
    for region in REGIONS:
        for service, count in REPLICAS[region].items():
            for tail in TAILS[:count]:
                yield from _pod(history, region, "production", service, tail)
            if region == REGIONS[0]:
                yield from _pod(history, region, "staging", service, TAILS[0])
        for number in range(1, NODES + 1):
            for resource, amount in MACHINE.items():
                place = {"job": "kube-state-metrics", "region": region, "node": f"{region}-pool-a-{number}"}
                read = _constant(history, region, amount)
                yield Told("kube_node_status_capacity", place | {"resource": resource}, read)


def _pod(history: History, region: str, space: str, service: str, tail: str) -> Iterator[Told | Counted]:
    place = {"region": region, "namespace": space, "pod": f"{service}-{HASH}-{tail}", "container": service}
    for resource, amount in ASKED.items():
        asked = place | {"job": "kube-state-metrics", "resource": resource}
        yield Told("kube_pod_container_resource_requests", asked, _constant(history, region, amount))
    limit = place | {"job": "kube-state-metrics", "resource": "memory"}
    yield Told("kube_pod_container_resource_limits", limit, _constant(history, region, LIMIT))
    if service in KILLED and space == "production" and region == REGIONS[0] and tail == TAILS[0]:
        killed = place | {"job": "kube-state-metrics", "reason": "OOMKilled"}
        yield Told("kube_pod_container_status_last_terminated_reason", killed, _since(history, region))
    production = space == "production"
    appetite, timeline = APPETITES[service] if production else STAGING, history.timelines[service, region]
    count = REPLICAS[region][service] if production else 1

    def burnt(at: float) -> float:
        return timeline.requests(at) * appetite.cpu / count + max(0.0, at - timeline.born) * appetite.base

    def held(at: float) -> float | None:
        wave = 1 + 0.05 * math.sin(math.tau * at / DAY) + 0.01 * math.sin(at / 997)
        return round(appetite.memory * wave) * float(MIB) if history.reachable[region].at(at) else None

    kubelet = place | {"job": "kubelet"}
    yield Counted("container_cpu_usage_seconds_total", kubelet, burnt, timeline)
    yield Told("container_memory_working_set_bytes", kubelet, held)


def _constant(history: History, region: str, amount: float) -> Callable[[float], float | None]:
    return lambda at: amount if history.reachable[region].at(at) else None


def _since(history: History, region: str) -> Callable[[float], float | None]:
    """1 from the kill on; before it nothing is told, as of every container that never ended."""
    began = history.born + DEPTH.total_seconds() - KILLED_AT
    return lambda at: 1.0 if at >= began and history.reachable[region].at(at) else None
