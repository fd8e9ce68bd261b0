"""Earlier templates of a workload, and the patch that puts one back as kubectl does. Plain JSON; pure.

Rules: kubectl pkg/polymorphichelpers/rollback.go; for Rollouts kubectl-argo-rollouts cmd/undo.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from bot.adapters.kubernetes import judge
from bot.adapters.kubernetes.client import JSON, STRATEGIC
from bot.adapters.kubernetes.revisions import ARGO, REVISION, images
from bot.ports.rollouts import Revision

Object: TypeAlias = dict[str, Any]
HASHES = ("pod-template-hash", "rollouts-pod-template-hash")
"""Labels that controllers put on a ReplicaSet's template, the second for Rollouts."""
KEPT = (
    REVISION, "deployment.kubernetes.io/revision-history", "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to",
    "kubectl.kubernetes.io/last-applied-configuration",
)  # fmt: skip
"""Annotations of a Deployment that an undo leaves as they are (kubectl: annotationsToSkip)."""


def owned(found: list[Object], obj: Object) -> list[Object]:
    """Those that *obj* controls: labels may lie, owners don't."""
    uid = obj["metadata"]["uid"]
    return [
        each
        for each in found
        if any(owner.get("uid") == uid for owner in each["metadata"].get("ownerReferences") or ())
    ]


def listed(found: list[Object], obj: Object) -> tuple[Revision, ...]:
    """The newest first."""
    stable = (obj.get("status") or {}).get("stableRS")
    wanted = plain(obj["spec"]["template"])
    revisions = [
        Revision(
            revision=str(number(each)),
            images=images(template(each)),
            created=datetime.fromisoformat(each["metadata"]["creationTimestamp"]),
            current=plain(template(each)) == wanted,
            stable=bool(stable) and (each["metadata"].get("labels") or {}).get(HASHES[1]) == stable,
        )
        for each in found
    ]
    return tuple(sorted(revisions, key=lambda each: -int(each.revision)))


def number(obj: Object) -> int:
    """Of a ReplicaSet by its annotation, of a ControllerRevision by its field; 0 where it is not told."""
    notes = obj["metadata"].get("annotations") or {}
    return int(obj.get("revision") or notes.get(REVISION) or notes.get(ARGO[REVISION]) or 0)


def template(obj: Object) -> Object:
    """The pod template that a ReplicaSet or a ControllerRevision keeps."""
    spec: Object = obj["data"]["spec"] if "data" in obj else obj["spec"]
    found: Object = spec["template"]
    return found


def plain(found: Object) -> Object:
    """A template by what it asks for: without its hash label, and what is set to nothing."""
    metadata = dict(found.get("metadata") or {})
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key not in HASHES}
    kept = {key: value for key, value in metadata.items() if value} | ({"labels": labels} if labels else {})
    rest = {key: value for key, value in found.items() if key not in {"metadata", "$patch"}}
    return rest | {"metadata": kept}


def undo(kind: str, obj: Object, past: Object) -> tuple[object, str]:
    """The patch that gives *obj* the template of *past*, and its content type; under the resourceVersion of *obj*."""
    version = obj["metadata"]["resourceVersion"]
    if "data" in past:  # a ControllerRevision is a patch itself
        return past["data"] | {"metadata": {"resourceVersion": version}}, STRATEGIC
    operations: list[Object] = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/spec/template", "value": plain(template(past))},
    ]
    if kind != judge.ROLLOUT:
        operations.append({"op": "add", "path": "/metadata/annotations", "value": _annotations(obj, past)})
    return operations, JSON


def _annotations(obj: Object, past: Object) -> dict[str, str]:
    """The Deployment's own bookkeeping stays, all else is as it was then: the change's cause, for one."""
    now, then = (each["metadata"].get("annotations") or {} for each in (obj, past))
    kept = {key: value for key, value in now.items() if key in KEPT}
    return kept | {key: value for key, value in then.items() if key not in KEPT}
