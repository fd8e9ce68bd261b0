"""GitHub sees of what pult proposed by itself that it waits for people, and that nobody wanted it.

A pipeline waits for pult's verdict by the deployment records of its commit. Without these it would see nothing until
somebody approves, and go on waiting after somebody said no. What has begun tells its state itself (flows/told.py).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.domain.errors import TemporaryError, UserError
from bot.domain.operations import STATE_WORDS, Operation, State
from bot.domain.releases import Release
from bot.domain.services import Catalogue
from bot.domain.targets import Hand
from bot.ports.pipeline import Pipeline
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx

EVERY = 5.0
WAITS = "ready:waits"
"""Mark: the operations that are followed here."""
MOST = 50
DEADLINE = 4.0
"""Seconds for all that GitHub is told of one."""
NO = frozenset({State.REJECTED, State.EXPIRED, State.CANCELLED})


def follow(tx: Tx, ident: str) -> None:
    """From here on GitHub is told of the operation *ident*."""
    tx.put_mark(WAITS, (*(tx.mark(WAITS) or ()), ident)[-MOST:])


@dataclass
class Telling:
    """The service's own repository, where its release is known by a commit."""

    store: Store
    services: Catalogue
    pipeline: Pipeline
    _told: set[str] = field(default_factory=set)
    """Which were told to wait, by this process."""

    def duty(self) -> Periodic:
        """Looks every few seconds."""
        return Periodic("ready told", EVERY, self.round)

    async def round(self) -> None:
        """Tell what is new of each, and forget those that need no more of it."""
        for ident in await self.store.read(lambda tx: tx.mark(WAITS) or ()):
            operation = await self.store.read(lambda tx, i=ident: tx.operation(i))  # type: ignore[misc]
            if operation is not None and operation.state is State.WAITING:
                if ident not in self._told and await self._tell(operation, "queued"):
                    self._told.add(ident)
            elif operation is None or not _refused(operation) or await self._tell(operation, "inactive"):
                await self.store.write(lambda tx, i=ident: _over(tx, i))  # type: ignore[misc]

    async def _tell(self, operation: Operation, state: str) -> bool:
        """False: GitHub does not answer, and is told again."""
        plan = operation.plan
        service = self.services.find(plan.service)
        release = await self.store.read(lambda tx: tx.release(plan.service, plan.params["version"]))
        if service is None or not service.repo or release is None or not release.commit:
            return True
        try:
            async with asyncio.timeout(DEADLINE):
                await self._record(service.repo, release, operation, state)
        except (TemporaryError, TimeoutError):
            return False
        except UserError:  # the token may not do it: pult check says so
            return True
        return True

    async def _record(self, repo: str, release: Release, operation: Operation, state: str) -> None:
        """A pipeline that deploys makes its own."""
        plan = operation.plan
        if any(target.hand is Hand.PIPELINE for target in plan.targets):
            return
        record = await self.pipeline.deploy_begun(repo, release.commit, plan.environment, operation.id)
        said = f"pult {operation.id}: {STATE_WORDS[operation.state].plain()}"
        await self.pipeline.deploy_status(repo, record, state, said, release.url)


def _refused(operation: Operation) -> bool:
    """Whether it ended before anything of it was begun."""
    return operation.state in NO and operation.started_at is None


def _over(tx: Tx, ident: str) -> None:
    tx.put_mark(WAITS, tuple(each for each in tx.mark(WAITS) or () if each != ident))
