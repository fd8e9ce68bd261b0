"""Groups that store nothing: access reviews and metrics."""

from hashlib import sha256

from bot.simulator.kubernetes import errors, pods
from bot.simulator.kubernetes.cluster import Call, Cluster
from bot.simulator.kubernetes.kinds import NODE, POD, VIRTUAL_GROUPS
from bot.simulator.kubernetes.target import Target
from bot.simulator.kubernetes.wire import Json, labels_of, meta, name_of, namespace_of, spec_of, stamp

METRICS = "metrics.k8s.io"


def serves(target: Target) -> bool:
    return VIRTUAL_GROUPS.get(target.group) == target.version


def answer(cluster: Cluster, target: Target, verb: str, body: Json) -> tuple[int, Json]:
    """(HTTP status, body) for a group without storage."""
    if target.group == METRICS:
        return 200, _metrics(cluster, target, verb)
    if target.plural == "selfsubjectaccessreviews" and verb == "create":
        return 201, _review(cluster, body)
    raise errors.no_such_type()


def _review(cluster: Cluster, body: Json) -> Json:
    asked = spec_of(body).get("resourceAttributes")
    if not asked:
        raise errors.bad_request("spec.resourceAttributes is required")
    resource = asked.get("resource", "*")
    if asked.get("subresource"):
        resource += f"/{asked['subresource']}"
    names = ("verb", "group", "namespace", "name")
    verb, group, namespace, name = (asked.get(key, "") for key in names)
    allowed = cluster.allowed(Call(verb, group, resource, namespace, name))
    status: Json = {"allowed": allowed}
    if allowed:
        status["reason"] = 'RBAC: allowed by ClusterRoleBinding "pult" of ClusterRole "pult" to ServiceAccount'
    return body | {"metadata": {}, "status": status}


def _metrics(cluster: Cluster, target: Target, verb: str) -> Json:
    if not cluster.metrics_up:
        raise errors.unavailable(f"the server is currently unable to handle the request ({verb} {target.plural})")
    match target.plural:
        case "pods":
            kind, items = "PodMetrics", [_pod(cluster, pod) for pod in _measured(cluster, target.namespace)]
        case "nodes":
            kind, items = "NodeMetrics", [_node(cluster, node) for node in cluster.store.all(NODE)]
        case _:
            raise errors.no_such_type()
    shell = {"apiVersion": f"{METRICS}/v1beta1"}
    if not target.name:
        return shell | {"kind": f"{kind}List", "metadata": {}, "items": items}
    found = next((item for item in items if name_of(item) == target.name), None)
    if found is None:
        raise errors.not_found(METRICS, target.plural, target.name)
    return shell | {"kind": kind} | found


def _measured(cluster: Cluster, namespace: str) -> list[Json]:
    return [pod for pod in cluster.store.all(POD, namespace) if pods.ready(pod)]


def _usage(key: str, cores: float, mebibytes: int) -> Json:
    """Nanocores and Ki, as metrics-server writes them; steady for one *key*."""
    share = 0.75 + sha256(key.encode()).digest()[0] / 512
    return {"cpu": f"{int(cores * share * 1e9)}n", "memory": f"{int(mebibytes * share * 1024)}Ki"}


def _pod(cluster: Cluster, pod: Json) -> Json:
    usage = _usage(meta(pod)["uid"], 0.06, 180)
    metadata = {"name": name_of(pod), "namespace": namespace_of(pod), "labels": labels_of(pod)}
    containers = [{"name": container["name"], "usage": usage} for container in spec_of(pod)["containers"]]
    return _sample(cluster, metadata) | {"containers": containers}


def _node(cluster: Cluster, node: Json) -> Json:
    metadata = {"name": name_of(node), "labels": labels_of(node)}
    return _sample(cluster, metadata) | {"usage": _usage(name_of(node), 1.1, 3200)}


def _sample(cluster: Cluster, metadata: Json) -> Json:
    now = stamp(cluster.now())
    return {"metadata": metadata | {"creationTimestamp": now}, "timestamp": now, "window": "15.123s"}
