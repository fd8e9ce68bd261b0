"""Node controller and kubelet as far as others notice: nodes that stop answering, come back, or are cordoned."""

from datetime import datetime
from typing import Final

from bot.simulator.kubernetes import objects
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import NODE, POD
from bot.simulator.kubernetes.wire import Json, meta, name_of, spec_of, stamp, status_of

_LOST: Final = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
_READY: Final = ("True", "KubeletReady", "kubelet is posting ready status")


def advance(cluster: Cluster, now: datetime) -> None:
    """Bring every node's condition in line with the faults, and tell of what changed."""
    _join(cluster, now)
    for node in cluster.store.all(NODE):
        name = name_of(node)
        up = cluster.world.faults.active("node_down", name) is None
        if up != ready(node):
            _turn(cluster, node, now, up=up)
        _cordon(cluster, node)


def _join(cluster: Cluster, now: datetime) -> None:
    """A machine that the cloud has started for the cluster's pool becomes a node of it."""
    cloud = cluster.world.cloud
    for name in cloud.machines(cluster.name) if cloud else ():
        if cluster.store.find(NODE, "", name) is None:
            node = cluster.store.create(NODE, objects.node(cluster.name, int(name.rsplit("-", 1)[1])), now)
            _tell(cluster, node, "NodeReady", "kubelet")


def ready(node: Json) -> bool:
    conditions = status_of(node).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def usable(node: Json) -> bool:
    """Whether the scheduler puts pods there."""
    return ready(node) and not spec_of(node).get("unschedulable")


def answering(cluster: Cluster, pod: Json) -> bool:
    """Whether the pod's node is ready; a pod without one is on its way to some node."""
    node = cluster.store.find(NODE, "", spec_of(pod).get("nodeName", ""))
    return node is None or ready(node)


def _turn(cluster: Cluster, node: Json, now: datetime, *, up: bool) -> None:
    holds, reason, message = _READY if up else _LOST
    turned = {"status": holds, "reason": reason, "message": message, "lastTransitionTime": stamp(now)}
    conditions = [c | turned if c["type"] == "Ready" else c for c in status_of(node)["conditions"]]
    stored = cluster.store.put(NODE, node | {"status": status_of(node) | {"conditions": conditions}})
    if up:
        _tell(cluster, stored, "NodeReady", "kubelet")
        return
    _tell(cluster, stored, "NodeNotReady", "node-controller")
    for pod in cluster.store.all(POD):
        if spec_of(pod).get("nodeName") == name_of(node):
            cluster.event(pod, "NodeNotReady", "Node is not ready", component="node-controller", warning=True)


def _cordon(cluster: Cluster, node: Json) -> None:
    """The kubelet tells when it sees that spec.unschedulable was changed."""
    key, cordoned = meta(node)["uid"], str(bool(spec_of(node).get("unschedulable")))
    before = cluster.notes.stages.get(key, str(False))
    cluster.notes.stages[key] = cordoned
    if before != cordoned:
        _tell(cluster, node, "NodeNotSchedulable" if cordoned == str(True) else "NodeSchedulable", "kubelet")


def _tell(cluster: Cluster, node: Json, reason: str, component: str) -> None:
    cluster.event(node, reason, f"Node {name_of(node)} status is now: {reason}", component=component)
