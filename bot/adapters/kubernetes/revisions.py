"""The revisions of a workload, and what made each of them: another image, other settings, a restart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.adapters.kubernetes.evidence import Step
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.notes import OPERATION
from bot.domain.changes import Restarted, Rolled

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""What ``kubectl rollout restart`` sets on the pod template; others that restart do the same (contracts.md, 8)."""
REVISION = "deployment.kubernetes.io/revision"
EARLIER = "deployment.kubernetes.io/revision-history"
"""Revisions that a ReplicaSet had before it was rolled back to: kubernetes pkg/controller/deployment/util."""
ARGO = {REVISION: "rollout.argoproj.io/revision", EARLIER: "rollout.argoproj.io/revision-history"}
"""The same on the ReplicaSets of an Argo Rollout: argo-rollouts utils/annotations."""
SLACK = timedelta(seconds=2)
"""Times are whole seconds, of two clocks (API server and controller), and the last step follows the one before."""
ZERO = timedelta()
DRAINING = timedelta(minutes=10)
"""The time in which pods of the revision before go away: progressDeadlineSeconds by default."""


@dataclass(frozen=True)
class Revision:
    """One template with its number. ``name``: its ReplicaSet; ``at`` is None where nothing tells the time."""

    number: int
    name: str
    at: datetime | None
    template: Object
    back: bool = False


def of_replicasets(found: Iterable[Object], uid: str, resized: list[Step]) -> list[Revision]:
    """Revisions of the Deployment (or Rollout) *uid*, in their order; one that was rolled back to counts twice."""
    kept: list[Revision] = []
    for obj in found:
        meta = obj["metadata"]
        if not _owned(meta, uid):
            continue
        notes = meta.get("annotations") or {}
        made = datetime.fromisoformat(meta["creationTimestamp"])
        number = notes.get(REVISION) or notes.get(ARGO[REVISION]) or 0
        now = Revision(int(number), meta["name"], made, obj["spec"]["template"])
        if earlier := notes.get(EARLIER) or notes.get(ARGO[EARLIER]):
            kept.append(replace(now, number=int(earlier.split(",")[0])))
            now = replace(now, at=_raised(now.name, resized), back=True)
        kept.append(now)
    return sorted(kept, key=lambda each: each.number)


def of_controller(found: Iterable[Object], uid: str) -> list[Revision]:
    """Revisions of a StatefulSet or DaemonSet, in their order."""
    kept = [
        Revision(
            obj["revision"], obj["metadata"]["name"], datetime.fromisoformat(obj["metadata"]["creationTimestamp"]),
            obj["data"]["spec"]["template"],
        )
        for obj in found
        if _owned(obj["metadata"], uid)
    ]  # fmt: skip
    return sorted(kept, key=lambda each: each.number)


def rollouts(revisions: list[Revision], since: datetime, by: str, set_by: str = "") -> Iterator[Rolled | Restarted]:
    """What happened since then. *by*: the client that restarted last; *set_by*: the one that set the image last."""
    last = revisions[-1:]
    for before, now in pairwise([None, *revisions]):
        if now is not None and now.at is not None and now.at >= since:
            told = _told(before, now, now.at, by if [now] == last else "")
            yield replace(told, by=set_by) if isinstance(told, Rolled) and told.image and [now] == last else told


def by_hand(resized: list[Step], revisions: list[Revision], *, recreated: bool) -> Iterator[Step]:
    """Steps that belong to no rollout: somebody, or an autoscaler, wanted another number of pods.

    A rollout lasts from its revision's beginning to the last step of any other ReplicaSet. *recreated*: by its
    strategy all old pods go first. What is asked for while it lasts can't be told from it, and is not told.
    """
    starts = list(_starts(revisions))
    for step in resized:
        begun = [start for start in starts if start[0] <= step.at + (SLACK if start[1] == step.name else ZERO)]
        if begun and step.at <= _end(begun[-1], starts, resized) + SLACK:
            continue
        coming = next((start for start in starts if start not in begun and start[1] != step.name), None)
        if recreated and step.after == 0 and coming and coming[0] - step.at <= DRAINING:
            continue
        yield step


def restarted_by(obj: Object) -> str:
    """The client that set the restart mark last, as the server noted it (managedFields); empty where it didn't."""
    return _manager(obj, ("f:spec", "f:template", "f:metadata", "f:annotations", f"f:{RESTARTED_AT}"))


def imaged_by(obj: Object) -> str:
    """The client that set the first container's image last, likewise."""
    template = obj["spec"].get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or [{}]
    key = f'k:{{"name":"{containers[0].get("name", "")}"}}'
    return _manager(obj, ("f:spec", "f:template", "f:spec", "f:containers", key, "f:image"))


def _manager(obj: Object, path: tuple[str, ...]) -> str:
    """Who manages the field at *path*; the one whose entry is the latest, where there are several."""
    found = []
    for entry in obj["metadata"].get("managedFields") or ():
        fields: Any = entry.get("fieldsV1") or {}
        for name in path:
            fields = fields.get(name) if isinstance(fields, dict) else None
        if fields is not None:
            found.append((str(entry.get("time") or ""), str(entry.get("manager") or "")))
    return max(found, default=("", ""))[1]


def images(template: Object) -> tuple[str, ...]:
    """The containers' images, in order."""
    return tuple(container["image"] for container in template["spec"]["containers"])


def _told(before: Revision | None, now: Revision, at: datetime, by: str) -> Rolled | Restarted:
    old = images(before.template) if before else ()
    other = next((image for image in images(now.template) if image not in old), "")
    mark, was = _notes(now).get(RESTARTED_AT), _notes(before).get(RESTARTED_AT) if before else None
    if not now.back and mark and mark != was and (not other or before is None):
        return Restarted(at, by, _notes(now).get(OPERATION, ""))
    return Rolled(at, str(now.number), other, now.back)


def _notes(revision: Revision) -> dict[str, str]:
    return (revision.template.get("metadata") or {}).get("annotations") or {}


def _owned(meta: Object, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in meta.get("ownerReferences") or ())


def _raised(name: str, resized: list[Step]) -> datetime | None:
    """When a ReplicaSet was brought back: raised from nothing while another one shrank."""
    for step in resized:
        if step.name == name and step.after and not step.before and _shrinking(name, step.at, resized):
            return step.at
    return None


def _shrinking(name: str, at: datetime, resized: list[Step]) -> bool:
    return any(each.name != name and abs(each.at - at) <= DRAINING for each in resized)


def _starts(revisions: list[Revision]) -> Iterator[tuple[datetime, str]]:
    """When each began; one whose time is forgotten began at some time after the one before it."""
    last = datetime.min.replace(tzinfo=UTC)
    for each in revisions:
        last = each.at or last
        yield last, each.name


def _end(start: tuple[datetime, str], starts: list[tuple[datetime, str]], resized: list[Step]) -> datetime:
    following = next((at for at, _ in starts if at > start[0]), None)
    others = (
        step.at
        for step in resized
        if step.name != start[1] and step.at >= start[0] and (following is None or step.at < following)
    )
    return max(others, default=start[0])
