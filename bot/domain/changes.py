"""What a cluster itself says was changed: facts of one workload, whoever or whatever caused them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True)
class Rolled:
    """Another pod template. ``image``: the one that changed, empty when none did. ``back``: to an earlier template.

    ``by``: the client that set the image, where the server tells and it is the latest one.
    """

    at: datetime
    revision: str
    image: str = ""
    back: bool = False
    by: str = field(default="", compare=False)


@dataclass(frozen=True)
class Restarted:
    """The same template with a new restart mark. ``by``: the client that set it, where the server tells.

    ``operation`` is the id of pult's own operation that did it, or empty.
    """

    at: datetime
    by: str = ""
    operation: str = ""


@dataclass(frozen=True)
class Scaled:
    """Another number of pods is wanted. ``before`` is None where an older server doesn't tell it."""

    at: datetime
    before: int | None
    after: int
    autoscaler: bool = False


class NodeState(StrEnum):
    """What became of a node."""

    NOT_READY = "not ready"
    READY = "ready"
    CORDONED = "cordoned"
    UNCORDONED = "uncordoned"
    REBOOTED = "rebooted"
    DISK = "disk"
    MEMORY = "memory"


@dataclass(frozen=True)
class NodeTurned:
    """A node on which pods of the workload are."""

    at: datetime
    node: str
    state: NodeState


class Loss(StrEnum):
    """What took a pod away."""

    EVICTED = "evicted"
    PREEMPTED = "preempted"
    MEMORY = "memory"


@dataclass(frozen=True)
class Lost:
    """Pods of the workload that were lost in one way; ``at``: the last of them, ``pod``: its name."""

    at: datetime
    how: Loss
    pod: str
    count: int = 1


class SyncState(StrEnum):
    """How far a GitOps tool came."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Synced:
    """A GitOps tool brought (or could not bring) a revision. ``tool``: argocd or flux. ``revision`` as people say it.

    ``by``: the person who asked the tool for it, empty when it went by itself. ``back``: to an earlier revision.
    """

    at: datetime
    tool: str
    revision: str
    state: SyncState = SyncState.DONE
    by: str = ""
    back: bool = False


ClusterChange: TypeAlias = "Rolled | Restarted | Scaled | NodeTurned | Lost | Synced"
