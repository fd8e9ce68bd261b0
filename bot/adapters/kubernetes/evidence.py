"""What revisions, events and pods of one workload say was changed. Plain JSON in, facts out; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.adapters.kubernetes.judge import Object
from bot.domain.changes import Loss, Lost, NodeState, NodeTurned, Scaled

STEP = re.compile(
    r"Scaled (?:up|down) (?:replica set|ReplicaSet) (\S+) (?:\(revision \d+\) )?"
    r"(?:from (\d+) )?to (\d+)(?: from (\d+))?"
)
"""Three orders, by the server's age: "to 2", "to 2 from 4" (pull 101142), "from 4 to 2" (pull 125118). kubernetes/
kubernetes pkg/controller/deployment/sync.go; the second spelling is argo-rollouts' utils/conditions. The
recorder may put "(combined from similar events): " before it."""
SIZE = re.compile(r"New size: (\d+)")
"""kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go."""
ITS_OWN = timedelta(seconds=15)
"""An autoscaler's event and the controller's step that follows it are not further apart than this."""
NODES = {
    "NodeNotReady": NodeState.NOT_READY, "NodeReady": NodeState.READY, "NodeNotSchedulable": NodeState.CORDONED,
    "NodeSchedulable": NodeState.UNCORDONED, "Rebooted": NodeState.REBOOTED, "NodeHasDiskPressure": NodeState.DISK,
    "NodeHasInsufficientMemory": NodeState.MEMORY,
}  # fmt: skip
"""Reasons of the kubelet and of the node controller: kubernetes/kubernetes pkg/kubelet/events/event.go."""
LOSSES = {"Evicted": Loss.EVICTED, "Preempted": Loss.PREEMPTED}


@dataclass(frozen=True)
class Step:
    """One ReplicaSet resized. ``before`` is None where the server doesn't tell."""

    at: datetime
    name: str
    before: int | None
    after: int


def moment(event: Object) -> datetime:
    """When it happened last: core/v1 events may have null times, then eventTime or series (contracts.md, 8)."""
    series = event.get("series") or {}
    times = (
        series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"),
        event.get("firstTimestamp"), event["metadata"].get("creationTimestamp"),
    )  # fmt: skip
    return datetime.fromisoformat(next(time for time in times if time))


def steps(events: Iterable[Object]) -> list[Step]:
    """Every resize that a Deployment's events tell, oldest first."""
    found = []
    for event in events:
        if event.get("reason") == "ScalingReplicaSet" and (told := STEP.search(event.get("message") or "")):
            name, before, after, old = told.groups()
            size = before or old
            found.append(Step(moment(event), name, int(size) if size else None, int(after)))
    return sorted(found, key=lambda step: step.at)


def rescales(events: Iterable[Object]) -> list[tuple[datetime, str, int]]:
    """When which autoscaler asked for what size."""
    return [
        (moment(event), event["involvedObject"]["name"], int(told[1]))
        for event in events
        if (told := SIZE.search(event.get("message") or ""))
    ]


def scaled(resized: Iterable[Step], asked: Iterable[tuple[datetime, str, int]], workload: str) -> Iterator[Scaled]:
    """Resizes that are no part of a rollout, with whether an autoscaler did it. One in several steps is told once."""
    left = list(asked)
    found: list[Scaled] = []
    for step in resized:
        own = [ask for ask in left if ask[2] == step.after and abs(ask[0] - step.at) <= ITS_OWN]
        left = [ask for ask in left if ask not in own]
        found.append(Scaled(step.at, step.before, step.after, bool(own)))
    # Of an autoscaler whose step is not told (a StatefulSet has none) only the name says whose it is.
    found += (Scaled(at, None, size, autoscaler=True) for at, name, size in left if name == workload)
    yield from _joined(sorted(found, key=lambda each: each.at))


def _joined(found: list[Scaled]) -> Iterator[Scaled]:
    """An autoscaler that goes on in the same direction is one change."""
    last: Scaled | None = None
    for each in found:
        if last and _goes_on(last, each):
            last = Scaled(each.at, last.before, each.after, autoscaler=True)
            continue
        if last:
            yield last
        last = each
    if last:
        yield last


def _goes_on(last: Scaled, now: Scaled) -> bool:
    if not (last.autoscaler and now.autoscaler) or last.before is None or now.before != last.after:
        return False
    return (last.before < last.after) == (last.after < now.after)


def nodes(events: Iterable[Object], names: frozenset[str]) -> Iterator[NodeTurned]:
    """What became of the nodes *names*: the last time of each state."""
    latest: dict[tuple[str, NodeState], datetime] = {}
    for event in events:
        key = event["involvedObject"].get("name", ""), NODES.get(event.get("reason", ""))
        if key[0] in names and key[1] is not None:
            name, state = key[0], key[1]
            latest[name, state] = max(moment(event), latest.get((name, state), moment(event)))
    for (name, state), at in latest.items():
        yield NodeTurned(at, name, state)


def lost(events: Iterable[Object], pods: Iterable[Object], since: datetime, owns: Callable[[str], bool]) -> list[Lost]:
    """Pods that were taken away (by their events) or ran out of memory (by their own status)."""
    told = [(moment(event), event["involvedObject"]["name"], event["reason"]) for event in events]
    found = [(at, name, LOSSES[reason]) for at, name, reason in told if reason in LOSSES and owns(name)]
    for pod in pods:
        found += ((at, pod["metadata"]["name"], Loss.MEMORY) for at in _out_of_memory(pod) if at >= since)
    return [_summed(how, [each for each in found if each[2] is how]) for how in dict.fromkeys(how for *_, how in found)]


def _summed(how: Loss, found: list[tuple[datetime, str, Loss]]) -> Lost:
    at, name, _ = max(found, key=lambda each: each[0])
    return Lost(at, how, name, len({pod for _, pod, _ in found}))


def _out_of_memory(pod: Object) -> Iterator[datetime]:
    for container in pod.get("status", {}).get("containerStatuses") or ():
        for state in (container.get("state") or {}, container.get("lastState") or {}):
            ended = state.get("terminated") or {}
            if ended.get("reason") == "OOMKilled" and ended.get("finishedAt"):
                yield datetime.fromisoformat(ended["finishedAt"])
