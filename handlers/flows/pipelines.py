"""The hand that lets GitHub deploy: the run that waits at a gate gets its word, or a workflow is started."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.errors import TemporaryError, UserError, github
from bot.domain.phrases import Code, phrase
from bot.domain.targets import Target
from bot.ports.flows import Did, Run, Say
from handlers.flows.tools import Tools

PATIENCE = timedelta(minutes=60)
"""A deploying workflow may build and test first; GitHub itself gives a job six hours."""
LOOK_EVERY = 5.0
"""Seconds: 720 questions in that hour, of the 5,000 that GitHub allows a token."""


class Pipelines:
    """The workflows of the service's own repository."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def put(self, run: Run, target: Target) -> Did:
        """Answer the gate, or start the workflow; the run that deploys. Again, it finds what it did."""
        where = target.environment
        if not target.run:
            return await self._started(run, target, run.plan.params["version"], target.digest)
        repo, pipeline = self._repo(run), github(self._tools.pipeline)
        if where.gate not in await pipeline.waiting(repo, target.run):
            return Did(phrase("run {run} does not wait any more", run=Code(str(target.run))), str(target.run))
        comment = f"pult operation {run.operation}"
        await pipeline.answer_gate(repo, target.run, where.gate, approve=True, comment=comment)
        return Did(phrase("run {run} may go on", run=Code(str(target.run))), str(target.run))

    async def put_back(self, run: Run, target: Target) -> Did:
        """Have the workflow deploy what ran before."""
        digest = target.previous.partition("@")[2]
        if not digest:
            raise UserError("What ran before has no digest, so the pipeline can't be told to deploy it.")
        return await self._started(run, target, "", digest)

    async def follow(self, run: Run, target: Target, ident: int, say: Say) -> None:
        """Wait until it has deployed. UserError: it failed, or takes longer than PATIENCE."""
        ends, gate = say.since + PATIENCE, target.environment.gate
        repo, pipeline = self._repo(run), github(self._tools.pipeline)
        while True:
            try:
                state = await pipeline.run_state(repo, ident)
                waiting = await pipeline.waiting(repo, ident) if state == "waiting" else ()
            except TemporaryError:
                state, waiting = "pending", ()
            if state == "success" or (state == "waiting" and gate not in waiting):  # it waits for another one's gate
                return
            if state == "failure":
                raise UserError("Run {run} of the pipeline failed.", run=Code(str(ident)))
            if self._tools.clock.now() >= ends:
                raise UserError(
                    "Run {run} of the pipeline is not done after {time}.", run=Code(str(ident)), time=PATIENCE
                )
            await say(phrase("waiting for run {run}", run=Code(str(ident))))
            await self._tools.clock.sleep(LOOK_EVERY)

    async def _started(self, run: Run, target: Target, version: str, digest: str) -> Did:
        where = target.environment
        if not where.workflow:
            raise UserError("Nothing waits at {gate}, and no workflow is configured to start.", gate=Code(where.gate))
        inputs = {"environment": where.name, "version": version, "digest": digest, "operation": run.operation}
        ident = await github(self._tools.pipeline).dispatch(
            self._repo(run), where.workflow, where.gitops.branch, inputs
        )
        return Did(phrase("{workflow} runs as {run}", workflow=Code(where.workflow), run=Code(str(ident))), str(ident))

    def _repo(self, run: Run) -> str:
        return self._tools.services.named(run.plan.service).repo
