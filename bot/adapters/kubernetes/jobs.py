"""The Jobs port: runs of Jobs and CronJobs by their conditions (kubernetes/api batch/v1), and their pods."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.cohorts import cohort
from bot.adapters.kubernetes.found import census_of, configured, paged
from bot.adapters.kubernetes.inquiry import Inquiry
from bot.domain.errors import ungrouped
from bot.domain.loglines import tidy
from bot.domain.redact import redact
from bot.domain.services import Environment
from bot.ports.clock import Clock
from bot.ports.diagnoses import Cohort, Health
from bot.ports.jobs import JobState

Object: TypeAlias = dict[str, Any]
OF_JOB: Final = "job-name"
"""Label of a Job's pods, beside the newer batch.kubernetes.io/job-name: kubernetes/api batch/v1 types.go."""
EXAMINED: Final = 2
"""Cohorts of a run of which more is asked than the list of pods tells."""


class KubernetesJobs:
    """Of every configured cluster."""

    def __init__(self, apis: Mapping[str, Api], clock: Clock) -> None:
        self._apis, self._clock = apis, clock

    async def jobs(self, environment: Environment, names: tuple[str, ...]) -> tuple[JobState, ...]:
        """One list of the namespace's Jobs for all of them."""
        api, space = configured(self._apis, environment.cluster), environment.namespace
        listed = await paged(api, "BatchV1Api", "list_namespaced_job", space)
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._state(api, space, name, listed)) for name in names]
        return tuple(task.result() for task in tasks)

    async def _state(self, api: Api, space: str, written: str, listed: Iterable[Object]) -> JobState:
        kind, _, name = written.partition("/")
        suspended = False
        if kind == "cronjob":
            found = await api.call("BatchV1Api", "read_namespaced_cron_job", name, space)
            suspended = found["spec"].get("suspend") is True
        runs = [each for each in listed if _of(each, kind, name)]
        state = replace(state_of(kind, name, runs), suspended=suspended)
        run = examined(runs, state)
        return replace(state, cohorts=await self._cohorts(api, space, run)) if run else state

    async def _cohorts(self, api: Api, space: str, run: Object) -> tuple[Cohort, ...]:
        census = await census_of(api, space, f"{OF_JOB}={run['metadata']['name']}", self._clock.now())
        inquiry, told = Inquiry(api, space, []), []
        for at, each in enumerate(census.cohorts):
            ill = each.health <= Health.SHAKEN and at < EXAMINED
            told.append(cohort(each, await inquiry.of(each) if ill else None))
        return tuple(told)


def state_of(kind: str, name: str, runs: Iterable[Object]) -> JobState:
    """What its *runs* tell. The last that ended counts, and whether one is under way."""
    ended = sorted(((at, run) for run in runs if (at := _ended(run))), key=lambda each: each[0])
    under_way = [run for run in runs if _ended(run) is None]
    started = [
        _time((run.get("status") or {}).get("startTime") or run["metadata"]["creationTimestamp"]) for run in under_way
    ]
    state = JobState(kind, name, running=max(started, default=None))
    if not ended:
        return state
    at, last = ended[-1]
    failure = _condition(last, "Failed")
    began = (last.get("status") or {}).get("startTime")
    why = redact(tidy(str(failure.get("message") or failure.get("reason") or ""))) if failure else ""
    return replace(
        state, failed=failure is not None, ended=at, took=at - _time(began) if began else None, why=why[:200]
    )


def examined(runs: Iterable[Object], state: JobState) -> Object | None:
    """The run whose pods are looked at: the newest under way, or the last where that failed."""
    wanted = [run for run in runs if (_ended(run) is None) == (state.running is not None)]
    if state.running is None and not state.failed:
        return None
    return max(wanted, key=lambda run: str(run["metadata"].get("creationTimestamp")), default=None)


def _of(job: Object, kind: str, name: str) -> bool:
    if kind == "job":
        return bool(job["metadata"]["name"] == name)
    owners = job["metadata"].get("ownerReferences") or ()
    return any(each.get("kind") == "CronJob" and each.get("name") == name for each in owners)


def _ended(run: Object) -> datetime | None:
    found = _condition(run, "Failed") or _condition(run, "Complete")
    if found is None:
        return None
    finished = (run.get("status") or {}).get("completionTime") or found.get("lastTransitionTime")
    return _time(finished or run["metadata"]["creationTimestamp"])


def _condition(run: Object, kind: str) -> Object | None:
    conditions = (run.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind and each.get("status") == "True"), None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
