"""GitHub gets its status back: a deployment of the release's commit, and a line in the release's notes.

None of it may hold up or fail a promotion: what GitHub does not take in time is said beside the step, and forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from bot.domain.errors import PultError
from bot.domain.phrases import Phrase, phrase
from bot.domain.releases import Deployment, Fate, Release
from bot.domain.targets import Hand, Target
from bot.ports.flows import Run
from bot.ports.pipeline import Pipeline
from handlers.flows.tools import Tools

DEADLINE = 4.0
"""Seconds for all that GitHub is told at one step."""


class Telling:
    """The service's own repository, where its release is known by a commit."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def state(self, run: Run, target: Target, state: str, said: str) -> Phrase | None:
        """Tell that the deployment is in *state*; why GitHub does not know it, or None."""
        return await self._told(self._state(run, target, state, said))

    async def arrived(self, run: Run, target: Target) -> Phrase | None:
        """Tell that it is in, and write into the release's notes where it is by now."""
        return await self._told(self._arrived(run, target))

    async def _arrived(self, run: Run, target: Target) -> None:
        await self._state(run, target, "success", "verified where it runs")
        found = await self._release(run)
        service = self._tools.services.named(run.plan.service)
        if found is None or target.environment.name not in {each.name for each in service.production}:
            return
        pipeline, release, repo = found
        rows = await self._tools.store.read(lambda tx: tx.deployments_of(service.name, release.version))
        await pipeline.annotate(repo, release.version, "\n".join(_lines(rows, run, target, self._today())))

    async def _state(self, run: Run, target: Target, state: str, said: str) -> None:
        """Its record is made by the first to tell. A pipeline that deploys makes one itself."""
        found = await self._release(run)
        if found is None or target.hand is Hand.PIPELINE:
            return
        pipeline, release, repo = found
        ident = await pipeline.deploy_begun(repo, release.commit, target.environment.name, run.operation)
        await pipeline.deploy_status(repo, ident, state, f"pult {run.operation}: {said}", release.url)

    async def _release(self, run: Run) -> tuple[Pipeline, Release, str] | None:
        """None where GitHub has nothing to be told about."""
        pipeline, plan = self._tools.pipeline, run.plan
        repo = self._tools.services.named(plan.service).repo
        release = await self._tools.store.read(lambda tx: tx.release(plan.service, plan.params["version"]))
        return (pipeline, release, repo) if pipeline and repo and release and release.commit else None

    async def _told(self, telling: Awaitable[None]) -> Phrase | None:
        try:
            async with asyncio.timeout(DEADLINE):
                await telling
        except (PultError, TimeoutError) as error:
            return phrase("GitHub was not told: {why}", why=str(error) or "no answer in time")
        return None

    def _today(self) -> str:
        return f"{self._tools.clock.now():%Y-%m-%d %H:%M} UTC"


def _lines(rows: tuple[Deployment, ...], run: Run, target: Target, today: str) -> list[str]:
    """One for each environment that it is in. This one's row is only written once its step is over."""
    here = target.environment.name
    others = [row for row in rows if row.fate is Fate.GOOD and row.environment != here and row.since is not None]
    lines = [f"In {row.environment} since {row.since:%Y-%m-%d %H:%M} UTC ({row.operation or 'told'})" for row in others]
    return [*lines, f"In {here} since {today} ({run.operation})"]
