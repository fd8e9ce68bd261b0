"""pods/eviction, */scale."""

from bot.simulator.kubernetes import budgets, errors, patches
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.target import Target
from bot.simulator.kubernetes.wire import Json, meta, spec_of, status_of
from bot.simulator.kubernetes.writes import Options, preconditions, replace


def evict(cluster: Cluster, target: Target, body: Json, options: Options) -> Json:
    """POST …/pods/{name}/eviction with a policy/v1 Eviction: 201, or 429 when a budget says not now."""
    if body.get("kind") != "Eviction":
        raise errors.bad_request("the body of an eviction is a policy/v1 Eviction")
    pod = cluster.store.get(POD, target.namespace, target.name)
    preconditions(POD, pod, (body.get("deleteOptions") or {}).get("preconditions") or {})
    dry = options.dry or "All" in ((body.get("deleteOptions") or {}).get("dryRun") or ())
    budgets.evict(cluster, pod, cluster.now(), dry=dry)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def scale(cluster: Cluster, target: Target) -> Json:
    """The autoscaling/v1 Scale of a workload."""
    obj = cluster.store.get(target.kind(), target.namespace, target.name)
    return _scale_of(obj)


def rescale(cluster: Cluster, target: Target, content_type: str, body: Json, options: Options) -> Json:
    """PUT or PATCH of a Scale: only spec.replicas counts."""
    before = cluster.store.get(target.kind(), target.namespace, target.name)
    wanted = _scaled(_scale_of(before), content_type, body)
    metadata = meta(before)
    if version := meta(wanted).get("resourceVersion"):
        metadata = metadata | {"resourceVersion": version}
    after = before | {"metadata": metadata, "spec": spec_of(before) | {"replicas": spec_of(wanted).get("replicas", 0)}}
    return _scale_of(replace(cluster, target, before, after, options))


def _scale_of(obj: Json) -> Json:
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = (spec_of(obj).get("selector") or {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta(obj)[key] for key in kept if key in meta(obj)},
        "spec": {"replicas": spec_of(obj).get("replicas", 1)},
        "status": {
            "replicas": status_of(obj).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in labels.items()),
        },
    }


def _scaled(scale_now: Json, content_type: str, body: Json) -> Json:
    match content_type:
        case patches.JSON_PATCH:
            operations: object = body
            return patches.json_patch(scale_now, operations)  # type: ignore[arg-type]
        case patches.MERGE | patches.STRATEGIC | patches.APPLY:
            merged: Json = patches.merge(scale_now, body)
            return merged
        case _:
            return body
