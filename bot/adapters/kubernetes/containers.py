"""Which logs of which containers tell of a time, and what their text says. Plain JSON in, plans and lines out; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.adapters.kubernetes import judge
from bot.adapters.kubernetes.judge import Object
from bot.domain.errors import UserError
from bot.domain.loglines import has, tidy
from bot.domain.phrases import Code, Phrase, phrase
from bot.ports.logs import Line, Wanted

NAMED = 12
"""Pods named where the one that was asked for is not among them."""


@dataclass(frozen=True)
class Reading:
    """One log to read. ``previous``: of the container's life before its last restart."""

    pod: str
    container: str
    source: str
    previous: bool


def chosen(pods: list[Object], wanted: str) -> list[Object]:
    """The pods that *wanted* names, all without it; those in trouble first, then the newest. UserError: none."""
    named = [pod["metadata"]["name"] for pod in pods]
    if not wanted:
        found = pods
    elif wanted in named:
        found = [pod for pod in pods if pod["metadata"]["name"] == wanted]
    else:
        found = [pod for pod in pods if wanted.lower() in pod["metadata"]["name"]]
    if wanted and pods and not found:
        listed = ", ".join(sorted(named)[:NAMED])
        raise UserError("No pod is called {pod}. There are: {names}.", pod=Code(wanted[:60]), names=listed)
    newest = sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
    return sorted(newest, key=lambda pod: judge.pod(pod).ready)


def started(pods: Iterable[Object]) -> list[datetime]:
    """When each pod began, of those that did."""
    times = (judge.pod(pod).started_at for pod in pods)
    return [at for at in times if at is not None]


def readings(pod: Object, wanted: Wanted) -> Iterator[Reading | Phrase]:
    """The logs of one pod that tell of the time, or why there are none."""
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    containers = status.get("containerStatuses") or []
    several = len(containers) > 1
    for each in (*_failed(status.get("initContainerStatuses") or ()), *containers):
        lone = not several and each in containers
        source = name if lone else f"{name}/{each['name']}"
        lives = _lives(each, wanted)
        yield from (Reading(name, each["name"], source, previous) for previous in lives)
        if not lives and not wanted.previous:
            why = judge.pod(pod).trouble or phrase("it has not started")
            yield phrase("{pod}: {trouble}", pod=Code(source), trouble=why)
    if not containers and not wanted.previous:
        why = judge.pod(pod).trouble or phrase("it has not started")
        yield phrase("{pod}: {trouble}", pod=Code(name), trouble=why)


def _failed(containers: Iterable[Object]) -> list[Object]:
    """Init containers that have not done their work: what they say is why the pod does not start."""
    return [each for each in containers if (each.get("state", {}).get("terminated") or {}).get("exitCode") != 0]


def _lives(container: Object, wanted: Wanted) -> list[bool]:
    """Which lives of a container to read, as ``previous``.

    A container that waits for its restart gives its last life to both questions: it is asked once. Source:
    kubernetes/kubernetes pkg/kubelet/kubelet_pods.go, validateContainerLogStatus.
    """
    state, last = container.get("state", {}), (container.get("lastState", {}).get("terminated") or {})
    if wanted.previous:
        return [True] if last else []
    if not (state.get("running") or state.get("terminated")):
        return [False] if last else []
    ended = last.get("finishedAt")
    return [True, False] if ended and datetime.fromisoformat(ended) >= wanted.since else [False]


def lines(text: str, source: str, wanted: Wanted, *, partial: bool = False) -> list[Line]:
    """The lines of one answer (``timestamps=true``) within the time, that hold what is looked for.

    *partial*: its beginning was cut off, so the first line is not whole. A line without a time has that of the one
    before it.
    """
    found: list[Line] = []
    at = wanted.since
    for raw in text.split("\n")[1 if partial else 0 :]:
        stamp, _, said = raw.partition(" ")
        try:
            at = datetime.fromisoformat(stamp)
        except ValueError:
            said = raw
        if said.strip() and wanted.since <= at < wanted.until and has(said, wanted.grep):
            found.append(Line(at, source, tidy(said)))
    return found
