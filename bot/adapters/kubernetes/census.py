"""Pods as they come, page by page, into cohorts of those that are alike. Plain JSON in; pure.

Of each pod only what a line needs is kept, of each cohort one pod as it came, so that ten thousand take little room.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from bot.adapters.kubernetes import judge, judge_deaths
from bot.domain.phrases import Phrase, phrase
from bot.ports.cluster import Pod
from bot.ports.diagnoses import Health

Object: TypeAlias = dict[str, Any]
HASHES: Final = ("rollouts-pod-template-hash", "pod-template-hash", "controller-revision-hash")
"""Labels that tell a pod's template: of Argo Rollouts, Deployments, and of StatefulSets and DaemonSets."""
FRESH: Final = timedelta(minutes=30)
"""How long a bad end is told of a pod that is ready again: ours."""
_NUMBER: Final = re.compile(r"\d+")


@dataclass
class Gathered:
    """One cohort. ``example``: the pod that came first, whole."""

    health: Health
    version: str
    trouble: Phrase | None
    example: Object
    pods: list[Pod] = field(default_factory=list)


@dataclass
class Edition:
    """Pods of one template, without those on their way out."""

    images: tuple[str, ...]
    ready: int = 0
    total: int = 0


class Census:
    """``now``: bad ends long before it are old news."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._cohorts: dict[tuple[Health, str, str], Gathered] = {}
        self.pods: list[Pod] = []
        self.editions: dict[str, Edition] = {}

    def add(self, page: Iterable[Object]) -> None:
        """The pods of one page."""
        for obj in page:
            pod = judge.pod(obj)
            version = _version(obj)
            health, trouble = self._judged(obj, pod)
            key = (health, version, _key(trouble, pod.name))
            cohort = self._cohorts.get(key)
            if cohort is None:
                cohort = self._cohorts[key] = Gathered(health, version, trouble, obj)
            cohort.pods.append(pod)
            self.pods.append(pod)
            self._count(obj, pod, version, health)

    @property
    def cohorts(self) -> list[Gathered]:
        """The worst first, and of equally bad ones the largest."""
        return sorted(self._cohorts.values(), key=lambda each: (each.health, -len(each.pods)))

    @property
    def nodes(self) -> Mapping[str, int]:
        """How many pods each node has."""
        return Counter(pod.node for pod in self.pods if pod.node)

    def _count(self, obj: Object, pod: Pod, version: str, health: Health) -> None:
        if health in {Health.LEAVING, Health.ENDED}:
            return
        edition = self.editions.get(version)
        if edition is None:
            edition = self.editions[version] = Edition(
                tuple(each["image"] for each in obj["spec"].get("containers") or ())
            )
        edition.total += 1
        edition.ready += pod.ready

    def _judged(self, obj: Object, pod: Pod) -> tuple[Health, Phrase | None]:
        status = obj.get("status") or {}
        if pod.phase == "Terminating":
            return Health.LEAVING, None
        if pod.phase == "Succeeded":
            return Health.ENDED, None
        if pod.trouble:
            return (Health.PENDING if _unplaced(status) else Health.BROKEN), pod.trouble
        if pod.ready:
            return self._ready(obj)
        running = pod.phase == "Running"
        if running and all((each.get("state") or {}).get("running") for each in status.get("containerStatuses") or ()):
            return Health.UNREADY, phrase("runs, but is not ready")
        return Health.STARTING, None

    def _ready(self, obj: Object) -> tuple[Health, Phrase | None]:
        """One that is ready now, with how a container of it died a short while ago."""
        if not any(each.get("restartCount") for each in obj["status"].get("containerStatuses") or ()):
            return Health.READY, None
        death = judge_deaths.last(obj)
        if death is None or death.at is None or self._now - death.at > FRESH:
            return Health.READY, None
        how = judge_deaths.words({"reason": death.reason, "exitCode": death.code})
        return Health.SHAKEN, phrase("is ready again; before that: {how}", how=how)


def _version(obj: Object) -> str:
    labels = obj["metadata"].get("labels") or {}
    return next((str(labels[name]) for name in HASHES if name in labels), "")


def _key(trouble: Phrase | None, name: str) -> str:
    """The same for troubles that differ in numbers and in the pod's own name only."""
    return _NUMBER.sub("#", trouble.plain().replace(name, "*")) if trouble else ""


def _unplaced(status: Object) -> bool:
    conditions = status.get("conditions") or ()
    return any(each.get("type") == "PodScheduled" and each.get("status") == "False" for each in conditions)
