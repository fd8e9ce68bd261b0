"""A service's Jobs and CronJobs in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, Strong, in_line, phrase
from bot.domain.services import Environment, Service
from bot.ports.jobs import Jobs, JobState
from handlers.commands.pods_words import WELL, line


async def told(
    jobs: Jobs, service: Service, places: Iterable[Environment], *, every: bool = True
) -> Mapping[Environment, tuple[Phrase, ...]]:
    """A line for each of its jobs, by place, or only (not *every*) for those that are not well."""
    if not service.jobs:
        return {}
    async with asyncio.TaskGroup() as group:
        tasks = {place: group.create_task(_lines(jobs, service, place, every=every)) for place in places}
    return {place: task.result() for place, task in tasks.items()}


async def _lines(jobs: Jobs, service: Service, place: Environment, *, every: bool) -> tuple[Phrase, ...]:
    try:
        found = await jobs.jobs(place, service.jobs)
    except UserError as error:
        return (error.phrase,)
    except (TemporaryError, PermanentError):
        return (phrase("Of its jobs in {cluster} nothing is known.", cluster=Code(place.cluster)),)
    return tuple(words(each) for each in found if every or ill(each))


def ill(state: JobState) -> bool:
    """Whether somebody should look: its last run failed, or pods of the one under way are not well."""
    return bool(state.failed) or any(cohort.health not in WELL and cohort.trouble for cohort in state.cohorts)


def words(state: JobState) -> Phrase:
    """What is known of its runs, the present one first."""
    name = Code(f"{state.kind}/{state.name}")
    said = list(_said(state)) or [phrase("no run is known")]
    text = in_line(said, "; ")
    return phrase("{name}: {said}", name=name, said=Strong(text) if ill(state) else text)


def _said(state: JobState) -> Iterator[Phrase]:
    if state.suspended:
        yield phrase("suspended, it starts no run")
    if state.running:
        yield phrase("runs since {at}", at=state.running)
    if state.failed and state.ended:
        yield phrase("its last run failed, {at}: {why}", at=state.ended, why=state.why)
    elif state.ended and state.took is not None:
        yield phrase("its last run succeeded, {at}, in {length}", at=state.ended, length=state.took)
    for cohort in state.cohorts:
        if cohort.health not in WELL and cohort.trouble:
            yield line(cohort)
