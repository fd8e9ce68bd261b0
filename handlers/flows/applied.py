"""Between git and the cluster: Argo CD or Flux is asked, and waited for until what it says agrees in all parts."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Environment
from bot.domain.targets import Target
from bot.ports.flows import Run, Say
from bot.ports.gitops import Applied, GitOps
from handlers.flows.git import Git
from handlers.flows.tools import LOOK_EVERY, PATIENCE, Tools

HEALTHY_WITHIN = timedelta(minutes=2)
"""Argo CD looks at an Application's health whenever a pod changes; a look takes seconds."""
OVERTAKEN_EVERY = 10
"""Looks between two questions to git whether somebody pushed after us: the tool may go straight to that commit."""


class Applying:
    """One environment's tool. What is applied need not be healthy yet: the rollout, and its steps, come after."""

    def __init__(self, tools: Tools, git: Git) -> None:
        self._tools, self._git = tools, git

    async def follow(self, run: Run, target: Target, revision: str, digest: str, say: Say) -> Phrase:
        """Have *revision* (empty: the branch's head), which brought *digest*, applied. UserError: it does not come."""
        tool = self._tools.gitops
        if tool is None:
            return phrase("its tool applies it by itself")
        token = f"{run.operation}-{say.since:%H%M%S}"  # one for each attempt, and the same after a crash
        ends, environment = self._tools.clock.now() + PATIENCE, target.environment
        if (why := await self._closed(tool, environment)) is not None:
            return phrase("its tool can't be asked, so it is only waited for: {why}", why=why)
        await self._asked(tool, environment, revision, token, ends)
        looks = 0
        while self._tools.clock.now() < ends:
            applied = await self._look(tool, environment, revision, token)
            if applied is not None:
                if applied.synced or applied.done:
                    return _applied(revision or applied.revision)
                if applied.stuck is not None:
                    raise UserError("It can't be applied: {why}", why=applied.stuck)
                await say(applied.doing or phrase("waiting for it to be applied"))
            looks += 1
            if looks % OVERTAKEN_EVERY == 0 and (head := await self._overtaken(tool, target, revision, digest)):
                return _applied(head)
            await self._tools.clock.sleep(LOOK_EVERY)
        raise UserError("Not applied after {time}. Look at the application.", time=PATIENCE)

    async def settled(self, target: Target, say: Say) -> Phrase | None:
        """Wait until the tool itself finds all of it healthy. UserError: it does not, though the rollout is done.

        Why it can't be asked, where that is so.
        """
        tool, clock = self._tools.gitops, self._tools.clock
        ends, found = clock.now() + HEALTHY_WITHIN, None
        while tool is not None and clock.now() < ends:
            try:
                found = await tool.state(target.environment)
            except TemporaryError:
                found = None
            except UserError as error:
                return error.phrase
            if found is not None and found.done:
                return None
            await say(found.doing if found and found.doing else phrase("waiting for its tool to find it healthy"))
            await clock.sleep(LOOK_EVERY)
        if tool is not None:
            why = (found.stuck or found.drift or found.doing) if found else phrase("it does not answer")
            raise UserError(
                "It runs, but its tool does not find it healthy and in step with git: {why}",
                why=why or phrase("it does not say why"),
            )
        return None

    async def _closed(self, tool: GitOps, environment: Environment) -> Phrase | None:
        """Why the tool can't be read at all: no such object, or RBAC. Git has the digest, so it may come yet."""
        try:
            await tool.state(environment)
        except UserError as error:
            return error.phrase
        except TemporaryError:
            return None
        return None

    async def _asked(self, tool: GitOps, environment: Environment, revision: str, token: str, ends: datetime) -> None:
        while True:
            try:
                await tool.ask(environment, revision, token)
            except TemporaryError:
                if self._tools.clock.now() >= ends:
                    raise
                await self._tools.clock.sleep(LOOK_EVERY)
            else:
                return

    async def _look(self, tool: GitOps, environment: Environment, revision: str, token: str) -> Applied | None:
        """None while the cluster does not answer: that alone fails nothing."""
        try:
            return await tool.progress(environment, revision, token)
        except TemporaryError:
            return None

    async def _overtaken(self, tool: GitOps, target: Target, revision: str, digest: str) -> str:
        """The branch's head, if that is later than ours, still names our digest, and is what is applied; else empty."""
        try:
            head = await self._git.head(target)
            if head == revision or not await self._git.names(target, digest):
                return ""
            applied = await tool.state(target.environment)
        except TemporaryError:
            return ""
        return head if applied.done and applied.revision == head else ""


def _applied(revision: str) -> Phrase:
    return phrase("commit {sha} is applied", sha=Code(revision[:12]))
