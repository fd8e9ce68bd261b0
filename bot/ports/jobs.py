"""Work that ends: Jobs, and the CronJobs that start them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.services import Environment
from bot.ports.diagnoses import Cohort


@dataclass(frozen=True)
class JobState:
    """``kind`` is job or cronjob. ``failed``: whether the last run that ended did; None where none is known.

    ``ended``: when that was, and ``took``; ``why`` it failed, in its controller's words. ``running`` since when a run
    is under way. ``suspended``: it starts no run. ``cohorts``: pods of the run that is under way, or that failed.
    """

    kind: str
    name: str
    failed: bool | None = None
    ended: datetime | None = None
    took: timedelta | None = None
    why: str = ""
    running: datetime | None = None
    suspended: bool = False
    cohorts: tuple[Cohort, ...] = ()


class Jobs(Protocol):
    """UserError: no such CronJob, or RBAC forbids (says what). TemporaryError: the API server is out of reach."""

    async def jobs(self, environment: Environment, names: tuple[str, ...]) -> tuple[JobState, ...]:
        """Of each of *names*, as ``cronjob/report``; of a Job that was cleaned up nothing is known."""
        ...
