"""Diagnoses of what the fake cluster runs, with what a test says of it besides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.domain.services import Environment
from bot.ports.cluster import Pod, Workload
from bot.ports.diagnoses import Cohort, Diagnosis, Health
from bot.ports.jobs import JobState
from tests.handlers.fakes import FakeCluster


@dataclass
class FakeDiagnoses:
    """``besides``: by workload, what replaces fields of the diagnosis. ``asked``: of which it was asked."""

    cluster: FakeCluster
    besides: dict[Workload, dict[str, object]] = field(default_factory=dict)
    asked: list[Environment] = field(default_factory=list)

    async def diagnosis(self, environment: Environment) -> Diagnosis:
        self.asked.append(environment)
        workload = Workload(environment.cluster, environment.namespace, environment.kind, environment.workload)
        rollout, pods = await self.cluster.rollout(workload), await self.cluster.pods(workload)
        cohorts: dict[tuple[Health, str], list[Pod]] = {}
        for pod in pods:
            cohorts.setdefault((_health(pod), pod.trouble.plain() if pod.trouble else ""), []).append(pod)
        found = Diagnosis(
            rollout, pods, tuple(_cohort(health, cohorts[health, why]) for health, why in sorted(cohorts))
        )
        return replace(found, **self.besides.get(workload, {}))  # type: ignore[arg-type]


@dataclass
class FakeJobs:
    """States by cluster. ``refuses``: what it raises instead."""

    states: dict[str, tuple[JobState, ...]] = field(default_factory=dict)
    refuses: Exception | None = None

    async def jobs(self, environment: Environment, names: tuple[str, ...]) -> tuple[JobState, ...]:
        if self.refuses:
            raise self.refuses
        return tuple(each for each in self.states.get(environment.cluster, ()) if f"{each.kind}/{each.name}" in names)


def _health(pod: Pod) -> Health:
    if pod.ready:
        return Health.READY
    return Health.PENDING if pod.phase == "Pending" else Health.BROKEN


def _cohort(health: Health, pods: list[Pod]) -> Cohort:
    nodes = tuple(dict.fromkeys(pod.node for pod in pods if pod.node))
    return Cohort(health, tuple(pod.name for pod in pods), sum(p.restarts for p in pods), nodes, pods[0].trouble)
