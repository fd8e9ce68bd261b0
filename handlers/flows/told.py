"""GitHub gets its status back: a deployment of the release's commit, and a line in the release's notes.

None of it may hold up or fail a promotion: what GitHub does not take in time is said beside the step, and forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime

from bot.domain.errors import PultError
from bot.domain.phrases import Phrase, phrase
from bot.domain.releases import Deployment, Fate, Release, current
from bot.domain.targets import Hand, Target
from bot.ports.flows import Run
from bot.ports.pipeline import Pipeline
from bot.ports.store import Tx
from handlers.flows.tools import Tools

DEADLINE = 4.0
"""Seconds for all that GitHub is told at one step."""
IN = frozenset({Fate.GOOD, Fate.BACK})
"""Fates of a version that came to run."""
LOOKED_AT, ROWS = 50, 20
"""Latest releases of a service, and deployments to an environment, that are looked through."""


class Telling:
    """The service's own repository, where its release is known by a commit."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def state(self, run: Run, target: Target, state: str, said: str) -> Phrase | None:
        """Tell that the deployment is in *state*; why GitHub does not know it, or None."""
        return await self._told(self._state(run, target, state, said))

    async def arrived(self, run: Run, target: Target) -> Phrase | None:
        """Tell that it is in; the notes of the release, and of the one before, say where each is by now."""
        return await self._told(self._arrived(run, target))

    async def returned(self, run: Run, target: Target) -> Phrase | None:
        """Tell that it was taken back, in the notes of the release, too."""
        return await self._told(self._returned(run, target))

    async def _arrived(self, run: Run, target: Target) -> None:
        await self._state(run, target, "success", "verified where it runs")
        version = run.plan.params["version"]
        gone = "rolled back" if run.plan.action == "rollback" else f"then {version}"
        came = await self._known(run, target.digest)
        await self._noted(run, target, came, "In {here} since {now} ({by})")
        before = await self._known(run, target.previous.partition("@")[2])
        if before is not None and before != came:
            await self._noted(run, target, before, f"In {{here}} until {{now}}, {gone} ({{by}})")

    async def _returned(self, run: Run, target: Target) -> None:
        await self._state(run, target, "inactive", "rolled back")
        gone = await self._known(run, target.digest)
        await self._noted(run, target, gone, "In {here} until {now}, rolled back ({by})")
        before = await self._known(run, target.previous.partition("@")[2])
        if before != gone:
            await self._noted(run, target, before, "In {here} since {now} ({by})")

    async def _noted(self, run: Run, target: Target, release: Release | None, line: str) -> None:
        """Only production is worth a line; what the notes say of other environments is written anew with it."""
        service, here = self._tools.services.named(run.plan.service), target.environment.name
        pipeline, production = self._tools.pipeline, {each.name for each in service.production}
        if pipeline is None or release is None or not (service.repo and release.commit) or here not in production:
            return
        others = await self._tools.store.read(lambda tx: _others(tx, release, here))
        said = line.format(here=here, now=_minute(self._tools.clock.now()), by=run.operation)
        await pipeline.annotate(service.repo, release.version, "\n".join([*others, said]))

    async def _known(self, run: Run, digest: str) -> Release | None:
        """The release of *digest*, as far as a pipeline told of it."""
        releases = await self._tools.store.read(lambda tx: tx.releases(run.plan.service, LOOKED_AT))
        return next((each for each in releases if digest and each.digest == digest), None)

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


def _others(tx: Tx, release: Release, here: str) -> list[str]:
    """One for each other environment that it came to. This one's row is only written once its step is over."""
    rows = sorted(tx.deployments_of(release.service, release.version), key=lambda row: row.at)
    came = {row.environment: row for row in rows if row.environment != here and row.since and row.fate in IN}
    return [_line(row, current(tx.deployments(row.service, row.environment, ROWS))) for row in came.values()]


def _line(row: Deployment, now: Deployment | None) -> str:
    """*now*: what is current where *row* came to."""
    where, by = f"In {row.environment}", f"({row.operation or 'told'})"
    if row.fate is Fate.BACK:
        return f"{where} until {_minute(row.at)}, rolled back {by}"
    if now is not None and now.version != row.version:
        return f"{where} until {_minute(now.since or now.at)}, then {now.version} ({now.operation or 'told'})"
    return f"{where} since {_minute(row.since or row.at)} {by}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
