"""How a container died, and what killed it. Plain JSON in, facts and phrases out; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from bot.adapters.kubernetes.notes import time
from bot.domain.loglines import brief
from bot.domain.phrases import Phrase, Quantity, phrase
from bot.domain.quantities import MIB, known

Object: TypeAlias = dict[str, Any]
PROBE: Final = re.compile(r"(Liveness|Startup|Readiness) probe (?:failed|errored)[^:]*: ?(.*)", re.DOTALL)
"""Events Unhealthy and ProbeError: kubernetes/kubernetes pkg/kubelet/prober/prober.go."""
KILLED_BY: Final = re.compile(r"[Cc]ontainer (\S+) failed (liveness|startup) probe")
"""Event Killing: kubernetes/kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go."""
CODES: Final = {
    126: phrase("exit code 126: its command may not be executed"),
    127: phrase("exit code 127: its command was not found"),
    134: phrase("exit code 134: it aborted itself (SIGABRT)"),
    137: phrase("exit code 137: it was killed (SIGKILL)"),
    139: phrase("exit code 139: it accessed memory that is not its own (SIGSEGV)"),
    143: phrase("exit code 143: it was told to stop (SIGTERM)"),
}
"""128 + the signal's number; 126 and 127 are the shell's: POSIX sh, "Exit Status for Commands"."""
BY_KUBELET: Final = frozenset({137, 143})
"""A container that its probe ended got SIGTERM, and SIGKILL when that did not help."""
NOT_STARTED: Final = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
"""Reasons of a container that never ran, so that it wrote nothing."""
TEXT: Final = 160


@dataclass(frozen=True)
class Death:
    """The last bad end of a container. ``limit``: of its memory, in bytes; None where none is set."""

    container: str
    at: datetime | None
    code: int
    reason: str
    limit: float | None = None

    @property
    def memory(self) -> bool:
        """Killed for more memory than it may have."""
        return self.reason == "OOMKilled"


def words(ended: Object) -> Phrase:
    """A container's state ``terminated``."""
    reason, code = str(ended.get("reason") or ""), ended.get("exitCode", "?")
    if reason == "OOMKilled":
        return phrase("killed for using more memory than its limit")
    if reason in NOT_STARTED:
        return phrase("it could not be started: {why}", why=brief(str(ended.get("message") or reason), TEXT))
    if code in CODES:
        return CODES[code]
    return phrase("exit code {code}, {reason}", code=str(code), reason=reason)


def last(pod: Object) -> Death | None:
    """The latest bad end of any container of *pod*, main or init."""
    status, limits = pod.get("status") or {}, _limits(pod)
    found = [
        Death(each["name"], time(ended.get("finishedAt")), int(ended.get("exitCode") or 0),
              str(ended.get("reason") or ""), limits.get(each["name"]))
        for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
        for ended in _ends(each)
    ]  # fmt: skip
    return max(found, key=lambda death: death.at.timestamp() if death.at else 0.0, default=None)


def details(death: Death, events: Iterable[Object], using: float | None) -> Iterator[Phrase]:
    """What is known besides. *events* of its pod; *using*: memory of the container now, in bytes."""
    if death.memory:
        yield from _memory(death, using)
        return
    events = list(events)
    if death.code in BY_KUBELET and (probe := _killer(death, events)):
        yield probe


def unready(events: Iterable[Object]) -> Phrase | None:
    """Why a container that runs is not ready: what its probe said last."""
    for event in events:
        told = PROBE.match(str(event.get("message") or ""))
        if told and told[1] in {"Readiness", "Startup"}:
            return phrase("its {probe} probe fails: {why}", probe=told[1].lower(), why=brief(told[2], TEXT))
    return None


def _memory(death: Death, using: float | None) -> Iterator[Phrase]:
    if death.limit is None:
        yield phrase("{container} has no memory limit: its node ran out of memory", container=death.container)
    elif using is None:
        yield phrase("the limit of {container} is {limit}", container=death.container, limit=memory(death.limit))
    else:
        yield phrase("{container} uses {used} of its {limit} now", container=death.container, used=memory(using),
                     limit=memory(death.limit))  # fmt: skip


def memory(number: float) -> Quantity:
    """*number* of bytes as people read them."""
    return Quantity(number / MIB, "MiB", 0)


def _killer(death: Death, events: list[Object]) -> Phrase | None:
    """The probe that had it killed, as its events tell."""
    killing = (KILLED_BY.search(str(event.get("message") or "")) for event in events)
    probes = [told[2] for told in killing if told and told[1].strip('"') == death.container]
    said = next((told for event in events if (told := _probe(event, death.container))), None)
    probe, why = said or ("", "")
    probe = probes[0] if probes else probe
    if why:
        return phrase("its {probe} probe had it killed: {why}", probe=probe, why=brief(why, TEXT))
    return phrase("its {probe} probe had it killed", probe=probe) if probe else None


def _probe(event: Object, container: str) -> tuple[str, str] | None:
    """Which deadly probe of *container* failed in *event*, and how."""
    told = PROBE.match(str(event.get("message") or ""))
    path = str((event.get("involvedObject") or {}).get("fieldPath") or "")
    mine = not path or path.endswith(f"{{{container}}}")
    return (told[1].lower(), told[2]) if told and mine and told[1] in {"Liveness", "Startup"} else None


def _ends(container: Object) -> Iterator[Object]:
    for state in (container.get("state"), container.get("lastState")):
        ended = (state or {}).get("terminated") or {}
        if ended.get("exitCode") or ended.get("reason") == "OOMKilled":
            yield ended


def _limits(pod: Object) -> dict[str, float | None]:
    spec = pod.get("spec") or {}
    every = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return {each["name"]: known(((each.get("resources") or {}).get("limits") or {}).get("memory")) for each in every}
