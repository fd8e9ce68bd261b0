"""Scheduler and kubelet: a pod's way from created to ready, its troubles, and its end."""

from datetime import datetime
from typing import Final

from bot.simulator.kubernetes import environment, nodes
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import NODE, POD
from bot.simulator.kubernetes.podstatus import Stage, build
from bot.simulator.kubernetes.wire import Json, meta, name_of, namespace_of, spec_of, stamp, status_of

CREATING: Final = 0.5
"""Simulated seconds from scheduled to running."""
READY: Final = 2.0
"""Simulated seconds from scheduled to ready: the readiness probe's delay."""
TERMINATING: Final = 1.0
"""Simulated seconds from deletion to gone."""
PULL_PERIOD: Final = 10.0
"""Simulated seconds after which ErrImagePull and ImagePullBackOff take turns."""
CRASH_PERIOD: Final = 8.0
"""Simulated seconds between two crashes of a crash-looping container."""

_UP: Final = (Stage.RUNNING, Stage.READY)


def start(cluster: Cluster, owner: Json, now: datetime) -> Json:
    """Create one pod from the template of the ReplicaSet *owner*."""
    template = spec_of(owner)["template"]
    prefix = f"{name_of(owner)}-"
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": meta(owner)["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {key: value for key, value in meta(template).items() if value is not None} | {
        "name": prefix + cluster.store.suffix(),
        "generateName": prefix,
        "namespace": namespace_of(owner),
        "ownerReferences": [reference],
    }
    status = build(template["spec"], Stage.UNSCHEDULED, now, restarts=0)
    pod = {"metadata": metadata, "spec": template["spec"], "status": status}
    stored = cluster.store.create(POD, pod, now)
    cluster.notes.stages[meta(stored)["uid"]] = Stage.UNSCHEDULED
    message = f"Created pod: {name_of(stored)}"
    cluster.event(owner, "SuccessfulCreate", message, component="replicaset-controller")
    return stored


def stop(cluster: Cluster, pod: Json, now: datetime) -> Json:
    """Begin a graceful deletion; done already when it is under way."""
    if "deletionTimestamp" in meta(pod):
        return pod
    cluster.notes.since[meta(pod)["uid"] + " end"] = now
    end = {"deletionTimestamp": stamp(now), "deletionGracePeriodSeconds": 30}
    cluster.event(pod, "Killing", f"Stopping container {_container(pod)}", component="kubelet")
    return cluster.store.put(POD, pod | {"metadata": meta(pod) | end})


def ready(pod: Json) -> bool:
    """Serving traffic: the Ready condition holds and it is not on its way out."""
    conditions = status_of(pod).get("conditions") or ()
    good = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return good and "deletionTimestamp" not in meta(pod)


def living(pod: Json) -> bool:
    return "deletionTimestamp" not in meta(pod)


def restarts(pod: Json) -> int:
    return sum(status["restartCount"] for status in status_of(pod).get("containerStatuses") or ())


def advance(cluster: Cluster, now: datetime) -> bool:
    """Move every pod one step. True while something is still on its way."""
    moving = [_advance(cluster, pod, now) for pod in cluster.store.all(POD)]
    return any(moving)


def crash(cluster: Cluster, namespace: str, name: str, *, reason: str = "Error", forever: bool = False) -> None:
    """Kill a pod's container: ``OOMKilled`` or ``Error``. *forever* makes it a crash loop."""
    pod = cluster.store.get(POD, namespace, name)
    uid = meta(pod)["uid"]
    if forever:
        cluster.notes.crashing.add(uid)
    _crash(cluster, pod, cluster.now(), reason)


def _advance(cluster: Cluster, pod: Json, now: datetime) -> bool:
    uid = meta(pod)["uid"]
    if not living(pod):
        return _terminate(cluster, pod, now)
    if uid in cluster.notes.crashing and cluster.passed(cluster.notes.began(uid, now), now, CRASH_PERIOD):
        _crash(cluster, pod, now, "Error")
        return True
    if "nodeName" not in spec_of(pod):
        pod = _schedule(cluster, pod, now)
    stage = _stage(cluster, pod, now)
    if cluster.notes.stages.get(uid) != stage:
        _show(cluster, pod, stage, now)
    return stage not in (Stage.READY, Stage.UNSCHEDULABLE)


def _terminate(cluster: Cluster, pod: Json, now: datetime) -> bool:
    uid = meta(pod)["uid"]
    if not cluster.passed(cluster.notes.began(uid + " end", now), now, TERMINATING):
        return True
    cluster.notes.bury(pod, now)
    cluster.store.remove(POD, namespace_of(pod), name_of(pod))
    cluster.notes.forget(uid)
    return True


def _schedule(cluster: Cluster, pod: Json, now: datetime) -> Json:
    """Bind to the schedulable node with the fewest pods; without one the pod stays Pending."""
    free = [name_of(node) for node in cluster.store.all(NODE) if nodes.usable(node)]
    if not free:
        return pod
    load = [spec_of(other).get("nodeName") for other in cluster.store.all(POD)]
    node = min(free, key=lambda name: (load.count(name), name))
    bound = cluster.store.put(POD, pod | {"spec": spec_of(pod) | {"nodeName": node}})
    cluster.notes.since[meta(pod)["uid"]] = now
    where = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
    cluster.event(bound, "Scheduled", where, component="default-scheduler")
    return bound


def _stage(cluster: Cluster, pod: Json, now: datetime) -> Stage:
    if "nodeName" not in spec_of(pod):
        return Stage.UNSCHEDULABLE
    began = cluster.notes.began(meta(pod)["uid"], now)
    if not cluster.passed(began, now, CREATING):
        return Stage.CRASHED if restarts(pod) else Stage.CREATING
    if not _pulled(cluster, pod):
        turn = int((now - began).total_seconds() / cluster.world.seconds(PULL_PERIOD))
        waited = cluster.passed(began, now, CREATING * 3)
        return Stage.BACK_OFF if waited and turn % 2 == 0 else Stage.PULL_FAILED
    if meta(pod)["uid"] in cluster.notes.crashing:
        return Stage.CRASHED
    up = cluster.passed(began, now, READY) and nodes.answering(cluster, pod)
    return Stage.READY if up else Stage.RUNNING


def _pulled(cluster: Cluster, pod: Json) -> bool:
    """Whether its node has the images: what ran once needs no registry any more."""
    if cluster.notes.stages.get(meta(pod)["uid"]) in {Stage.RUNNING, Stage.READY, Stage.CRASHED}:
        return True
    return all(cluster.runnable(container["image"]) for container in spec_of(pod)["containers"])


def _show(cluster: Cluster, pod: Json, stage: Stage, now: datetime) -> Json:
    uid = meta(pod)["uid"]
    was, cluster.notes.stages[uid] = cluster.notes.stages.get(uid), stage
    if stage in _UP and was not in _UP:
        environment.started(cluster, pod)
    status = build(spec_of(pod), stage, now, restarts=restarts(pod), before=status_of(pod))
    stored = cluster.store.put(POD, pod | {"status": status})
    if was != Stage.READY:  # else it runs on, unready
        _tell(cluster, stored, stage)
    return stored


def _crash(cluster: Cluster, pod: Json, now: datetime, reason: str) -> None:
    uid = meta(pod)["uid"]
    cluster.notes.since[uid] = now
    cluster.notes.stages[uid] = Stage.CRASHED
    count = restarts(pod) + 1
    status = build(spec_of(pod), Stage.CRASHED, now, restarts=count, before=status_of(pod), killed=reason)
    stored = cluster.store.put(POD, pod | {"status": status})
    _tell(cluster, stored, Stage.CRASHED)


def _tell(cluster: Cluster, pod: Json, stage: Stage) -> None:
    container, image = _container(pod), spec_of(pod)["containers"][0]["image"]
    match stage:
        case Stage.RUNNING:
            cluster.event(pod, "Started", f"Started container {container}", component="kubelet")
        case Stage.PULL_FAILED:
            message = f'Failed to pull image "{image}": not found'
            cluster.event(pod, "Failed", message, component="kubelet", warning=True)
        case Stage.BACK_OFF:
            cluster.event(pod, "BackOff", f'Back-off pulling image "{image}"', component="kubelet", warning=True)
        case Stage.CRASHED:
            message = f"Back-off restarting failed container {container} in pod {name_of(pod)}_{namespace_of(pod)}"
            cluster.event(pod, "BackOff", message, component="kubelet", warning=True)
        case Stage.UNSCHEDULABLE:
            message = "0 nodes are available: all nodes were unschedulable."
            cluster.event(pod, "FailedScheduling", message, component="default-scheduler", warning=True)
        case _:
            return


def _container(pod: Json) -> str:
    return str(spec_of(pod)["containers"][0]["name"])
