"""create, update, patch and delete, with dry run, admission and field ownership."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.simulator.kubernetes import admission, errors, patches, pods
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.fields import managed
from bot.simulator.kubernetes.kinds import POD, REPLICASET, Kind
from bot.simulator.kubernetes.target import Target
from bot.simulator.kubernetes.wire import Json, meta, name_of, namespace_of


@dataclass(frozen=True)
class Options:
    """The query parameters of a write."""

    dry: bool
    """``dryRun=All``: admission runs, nothing is stored."""
    manager: str
    force: bool


def create(cluster: Cluster, target: Target, body: Json, options: Options) -> Json:
    kind = target.kind()
    place = {"namespace": target.namespace} if kind.namespaced else {}
    metadata = {key: value for key, value in meta(body).items() if key != "resourceVersion"} | place
    if "generateName" in metadata and "name" not in metadata:
        metadata["name"] = metadata["generateName"] + cluster.store.suffix()
    obj = body | {"metadata": metadata}
    admission.check(kind, None, obj)
    return cluster.store.create(kind, obj, cluster.now(), dry=options.dry)


def update(cluster: Cluster, target: Target, body: Json, options: Options) -> Json:
    """Full replacement (PUT); for leases and the like 409 guards against lost updates."""
    kind = target.kind()
    if name_of(body) != target.name:
        raise errors.bad_request(
            f"the name of the object ({name_of(body)}) does not match the name on the URL ({target.name})"
        )
    before = cluster.store.get(kind, target.namespace, target.name)
    return replace(cluster, target, before, body, options)


def replace(cluster: Cluster, target: Target, before: Json, after: Json, options: Options) -> Json:
    """Store *after* in place of *before*, keeping what this path may not change: status, or all but status."""
    kind = target.kind()
    kept = after | {"apiVersion": before["apiVersion"], "kind": before["kind"]}
    if target.subresource == "status":
        kept = before | {"status": after.get("status") or {}}
    elif kind.status:
        kept = {key: value for key, value in kept.items() if key != "status"}
        kept |= {"status": before["status"]} if "status" in before else {}
    kept["metadata"] = meta(after) | {"name": target.name} | _place(kind, target)
    admission.check(kind, before, kept)
    return cluster.store.put(kind, kept, dry=options.dry)


def patch(cluster: Cluster, target: Target, content_type: str, body: Json, options: Options) -> Json:
    kind = target.kind()
    if content_type == patches.APPLY:
        return _apply(cluster, target, body, options)
    before = cluster.store.get(kind, target.namespace, target.name)
    after = managed(before, _method(kind, content_type)(before, body), options.manager, cluster.now())
    stored = replace(cluster, target, before, after, options)
    if not options.dry:
        cluster.fields.note(before, after, options.manager)
    return stored


def delete(cluster: Cluster, target: Target, body: Json, options: Options) -> Json:
    """Delete with what it owns; a pod ends gracefully and is answered as an object."""
    kind = target.kind()
    obj = cluster.store.get(kind, target.namespace, target.name)
    preconditions(kind, obj, body.get("preconditions") or {})
    if not options.dry:
        remove(cluster, kind, obj, cluster.now())
    if kind == POD:
        return cluster.store.find(kind, target.namespace, target.name) or obj
    details = {"name": target.name, "group": kind.group, "kind": kind.plural, "uid": meta(obj)["uid"]}
    return errors.success(details)


def remove(cluster: Cluster, kind: Kind, obj: Json, now: datetime) -> None:
    if kind == POD:
        pods.stop(cluster, obj, now)
        return
    cluster.store.remove(kind, namespace_of(obj), name_of(obj))
    for child in (REPLICASET, POD):
        for owned in cluster.store.owned(child, namespace_of(obj), meta(obj)["uid"]):
            remove(cluster, child, owned, now)


def _method(kind: Kind, content_type: str) -> Callable[[Json, Json], Json]:
    methods: dict[str, Callable[..., Json]] = {patches.JSON_PATCH: patches.json_patch, patches.MERGE: patches.merge}
    if not kind.custom:
        methods[patches.STRATEGIC] = patches.strategic
    if content_type not in methods:
        raise errors.unsupported_media(content_type, [*methods, patches.APPLY])
    return methods[content_type]


def _apply(cluster: Cluster, target: Target, body: Json, options: Options) -> Json:
    """Server-side apply: creates what is absent; 409 FieldManagerConflict unless forced."""
    kind = target.kind()
    if not options.manager:
        raise errors.bad_request("fieldManager is required for apply patch")
    before = cluster.store.find(kind, target.namespace, target.name)
    if before is None:
        created = create(cluster, target, body | {"metadata": meta(body) | {"name": target.name}}, options)
        cluster.fields.claim(created, body, options.manager)
        return created
    if not options.force:
        cluster.fields.refuse(before, body, options.manager)
    after = replace(cluster, target, before, patches.strategic(before, body), options)
    if not options.dry:
        cluster.fields.claim(before, body, options.manager)
    return after


def preconditions(kind: Kind, obj: Json, wanted: Json) -> None:
    """409 where the object is not the one that is meant."""
    if any(meta(obj).get(key) != value for key, value in wanted.items() if value):
        raise errors.conflict(kind.group, kind.plural, name_of(obj))


def _place(kind: Kind, target: Target) -> Json:
    return {"namespace": target.namespace} if kind.namespaced else {}
