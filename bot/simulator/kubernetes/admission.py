"""The validation that clients run into: names, replica counts, images, immutable selectors."""

import re
from typing import Final

from bot.simulator.kubernetes import errors
from bot.simulator.kubernetes.kinds import (
    APPLICATION,
    AUTOSCALER,
    BUDGET,
    DEPLOYMENT,
    GITREPOSITORY,
    HELMRELEASE,
    KUSTOMIZATION,
    LEASE,
    POD,
    ROLLOUT,
    Kind,
)
from bot.simulator.kubernetes.selectors import matches
from bot.simulator.kubernetes.wire import Json, name_of, spec_of

_NAME: Final = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
_SCALABLE: Final = (DEPLOYMENT, ROLLOUT)
_REQUIRED: Final = {
    POD: ("spec.containers",),
    DEPLOYMENT: ("spec.selector.matchLabels", "spec.template.spec.containers"),
    BUDGET: ("spec.selector",),
    AUTOSCALER: ("spec.scaleTargetRef.name", "spec.maxReplicas"),
    APPLICATION: ("spec.destination.namespace",),
    GITREPOSITORY: ("spec.url", "spec.ref.branch"),
    KUSTOMIZATION: ("spec.path", "spec.sourceRef.name", "spec.targetNamespace"),
    HELMRELEASE: ("spec.targetNamespace",),
}
"""Fields without which the controllers could not work; the last three lines are stricter than the real CRDs."""


def check(kind: Kind, before: Json | None, after: Json) -> None:
    """422 Invalid when the object may not be stored."""
    name = name_of(after)
    if not _NAME.match(name) or len(name) > 253:
        why = f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumerics'
        raise errors.invalid(kind.name, kind.group, name, "metadata.name", why)
    for path in _REQUIRED.get(kind, ()):
        if not _at(after, path):
            raise errors.invalid(kind.name, kind.group, name, path, "Required value")
    if kind in _SCALABLE:
        _replicas(kind, name, after)
    if kind == ROLLOUT:
        _rollout(kind, after)
    if kind == DEPLOYMENT:
        _deployment(kind, before, after)
    if kind == LEASE and int(spec_of(after).get("leaseDurationSeconds") or 1) <= 0:
        raise errors.invalid(kind.name, kind.group, name, "spec.leaseDurationSeconds", "must be greater than 0")


def _at(obj: Json, path: str) -> object:
    here: object = obj
    for step in path.split("."):
        here = here.get(step) if isinstance(here, dict) else None
    return here


def _replicas(kind: Kind, name: str, after: Json) -> None:
    count = spec_of(after).get("replicas", 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        why = f"Invalid value: {count}: must be greater than or equal to 0"
        raise errors.invalid(kind.name, kind.group, name, "spec.replicas", why)


def _rollout(kind: Kind, after: Json) -> None:
    """What the simulated controller can do: canaries of weights and pauses. Stricter than the real CRD."""
    name, strategy = name_of(after), spec_of(after).get("strategy") or {}
    if "canary" not in strategy:
        raise errors.invalid(
            kind.name, kind.group, name, "spec.strategy.canary", "Required value: no other is simulated"
        )
    for index, step in enumerate((strategy["canary"] or {}).get("steps") or ()):
        if not set(step) <= {"setWeight", "pause"}:
            field = f"spec.strategy.canary.steps[{index}]"
            raise errors.invalid(
                kind.name, kind.group, name, field, "Unsupported value: setWeight and pause are simulated"
            )


def _deployment(kind: Kind, before: Json | None, after: Json) -> None:
    name, spec = name_of(after), spec_of(after)
    if before is not None and spec.get("selector") != spec_of(before).get("selector"):
        raise errors.invalid(kind.name, kind.group, name, "spec.selector", "field is immutable")
    if not matches(spec["selector"], spec["template"]):
        why = "`selector` does not match template `labels`"
        raise errors.invalid(kind.name, kind.group, name, "spec.template.metadata.labels", why)
    for index, container in enumerate(spec["template"]["spec"]["containers"]):
        if not container.get("image"):
            field = f"spec.template.spec.containers[{index}].image"
            raise errors.invalid(kind.name, kind.group, name, field, "Required value")
