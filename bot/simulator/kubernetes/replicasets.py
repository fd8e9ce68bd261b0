"""ReplicaSets: the pods of one version of a template, kept at the asked number."""

import copy
import json
from datetime import datetime
from hashlib import sha256
from typing import Final

from bot.simulator.kubernetes import pods
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import DEPLOYMENT, POD, REPLICASET
from bot.simulator.kubernetes.wire import Json, annotations_of, labels_of, meta, name_of, namespace_of, spec_of

REVISION: Final = "deployment.kubernetes.io/revision"
EARLIER: Final = "deployment.kubernetes.io/revision-history"
"""Numbers that a ReplicaSet had before it was rolled back to."""
HASH: Final = "pod-template-hash"
HASHES: Final = (HASH, "rollouts-pod-template-hash")
"""Labels that controllers add; the second is Argo Rollouts'."""
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_NOT_COPIED: Final = (
    REVISION,
    EARLIER,
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def template_hash(template: Json) -> str:
    """The value of the label ``pod-template-hash``: same template, same hash."""
    digest = sha256(json.dumps(plain(template), sort_keys=True).encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])


def plain(template: Json) -> Json:
    """The template without the hash label and empty keys: what two templates are compared by."""
    metadata = {key: value for key, value in meta(template).items() if value}
    labels = {key: value for key, value in labels_of(template).items() if key not in HASHES}
    return template | {"metadata": metadata | {"labels": labels}}


def of(cluster: Cluster, deployment: Json) -> list[Json]:
    """ReplicaSets owned by the Deployment, by ownerReferences and not by labels."""
    return cluster.store.owned(REPLICASET, namespace_of(deployment), meta(deployment)["uid"])


def revision(replicaset: Json) -> int:
    return int(annotations_of(replicaset).get(REVISION, "0"))


def replicas(workload: Json) -> int:
    """``spec.replicas``; absent means one."""
    found = spec_of(workload).get("replicas")
    return 1 if found is None else int(found)


def pods_of(cluster: Cluster, replicaset: Json) -> list[Json]:
    """Pods owned by the ReplicaSet that are not being deleted."""
    owned = cluster.store.owned(POD, namespace_of(replicaset), meta(replicaset)["uid"])
    return [pod for pod in owned if pods.living(pod)]


def newest(cluster: Cluster, deployment: Json, found: list[Json], now: datetime) -> Json:
    """The ReplicaSet of the present template: found again, or created, with the highest revision."""
    template = spec_of(deployment)["template"]
    same = [rs for rs in found if plain(spec_of(rs)["template"]) == plain(template)]
    highest = max((revision(rs) for rs in found), default=0)
    if not same:
        return _create(cluster, deployment, highest + 1, now)
    if revision(same[0]) == highest:
        return same[0]
    had = annotations_of(same[0])
    earlier = ",".join(filter(None, (had.get(EARLIER, ""), had[REVISION])))
    annotations = had | {REVISION: str(highest + 1), EARLIER: earlier}
    return cluster.store.put(REPLICASET, same[0] | {"metadata": meta(same[0]) | {"annotations": annotations}})


def scale(cluster: Cluster, replicaset: Json, count: int) -> Json:
    """Ask for *count* pods, and tell it of the Deployment (kubernetes pkg/controller/deployment/sync.go)."""
    before = replicas(replicaset)
    if before == count:
        return replicaset
    if owner := _deployment(cluster, replicaset):
        way = "up" if count > before else "down"
        message = f"Scaled {way} replica set {name_of(replicaset)} from {before} to {count}"
        cluster.event(owner, "ScalingReplicaSet", message, component="deployment-controller")
    return cluster.store.put(REPLICASET, replicaset | {"spec": spec_of(replicaset) | {"replicas": count}})


def _deployment(cluster: Cluster, replicaset: Json) -> Json | None:
    owners = meta(replicaset).get("ownerReferences") or ()
    name = next((owner["name"] for owner in owners if owner.get("controller")), "")
    return cluster.store.find(DEPLOYMENT, namespace_of(replicaset), name)


def keep(cluster: Cluster, replicaset: Json, now: datetime) -> Json:
    """Create or delete pods until their number is right, then write the status."""
    mine = pods_of(cluster, replicaset)
    missing = replicas(replicaset) - len(mine)
    for _ in range(missing):
        mine.append(pods.start(cluster, replicaset, now))
    if missing < 0:
        doomed = sorted(mine, key=_least_useful_first)[:-missing]
        for pod in doomed:
            pods.stop(cluster, pod, now)
            message = f"Deleted pod: {name_of(pod)}"
            cluster.event(replicaset, "SuccessfulDelete", message, component="replicaset-controller")
        mine = [pod for pod in mine if pod not in doomed]
    return cluster.store.put(REPLICASET, replicaset | {"status": _status(replicaset, mine)})


def _least_useful_first(pod: Json) -> tuple[bool, int]:
    """Not ready before ready, then the youngest."""
    return (pods.ready(pod), -int(meta(pod)["resourceVersion"]))


def _status(replicaset: Json, mine: list[Json]) -> Json:
    status: Json = {"replicas": len(mine), "observedGeneration": meta(replicaset).get("generation", 1)}
    if mine:
        status["fullyLabeledReplicas"] = len(mine)
    if good := sum(pods.ready(pod) for pod in mine):
        status |= {"readyReplicas": good, "availableReplicas": good}
    return status


def _create(cluster: Cluster, deployment: Json, number: int, now: datetime) -> Json:
    digest = template_hash(spec_of(deployment)["template"])
    template = plain(spec_of(deployment)["template"])
    template["metadata"]["labels"][HASH] = digest
    selector = copy.deepcopy(spec_of(deployment)["selector"])
    selector.setdefault("matchLabels", {})[HASH] = digest
    copied = {key: value for key, value in annotations_of(deployment).items() if key not in _NOT_COPIED}
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": name_of(deployment),
        "uid": meta(deployment)["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {
        "name": f"{name_of(deployment)}-{digest}",
        "namespace": namespace_of(deployment),
        "labels": labels_of(template),
        "annotations": copied
        | {
            REVISION: str(number),
            "deployment.kubernetes.io/desired-replicas": str(replicas(deployment)),
        },
        "ownerReferences": [reference],
    }
    spec = {"replicas": 0, "selector": selector, "template": template}
    return cluster.store.create(REPLICASET, {"metadata": metadata, "spec": spec, "status": {"replicas": 0}}, now)
