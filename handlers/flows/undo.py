"""Undo: a template of the workload's own history is put back, and watched until every pod runs it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import DriftError
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Rollout
from bot.ports.flows import Flow, Run, Say
from bot.ports.rollouts import Rollouts
from handlers.flows.rollouts import Watch, target


@dataclass(frozen=True)
class _Undo:
    cluster: Cluster
    rollouts: Rollouts
    clock: Clock

    async def check(self, plan: Plan) -> None:
        """DriftError: the workload is no longer as it was planned on."""
        rollout = await self.cluster.rollout(target(plan))
        if rollout.template != plan.pins["template"]:
            raise DriftError("{service} was changed after this was planned.", service=plan.service)
        if rollout.paused:
            raise DriftError("{service} was paused after this was planned.", service=plan.service)

    async def put_back(self, plan: Plan) -> Phrase:
        """Once it is back the revision has another number; the time when it was made stays."""
        rollout, revision = await self.cluster.rollout(target(plan)), plan.params["revision"]
        if rollout.template == plan.pins["template"]:
            await self.rollouts.undo(target(plan), revision, rollout.template)
            return phrase("revision {revision} is back", revision=revision)
        kept = await self.rollouts.revisions(target(plan))
        if any(each.current and each.created.isoformat() == plan.params["created"] for each in kept):
            return phrase("it was put back already")
        raise DriftError("{service} was changed after this was planned.", service=plan.service)

    async def watched(self, run: Run, say: Say) -> Phrase:
        """A rollout that waits at a step of its own is moved on: the template ran before."""

        async def move(rollout: Rollout, _: Say) -> None:
            step = rollout.progressive.step if rollout.progressive else 0
            await self.rollouts.advance(target(run.plan), f"{run.operation}-{step}")

        return await Watch(self.cluster, self.clock, target(run.plan), move).done(say)


def flow(cluster: Cluster, rollouts: Rollouts, clock: Clock) -> Flow:
    """An undo of an undo is another plan, which names its revision."""
    undo = _Undo(cluster, rollouts, clock)

    async def run(running: Run) -> Phrase:
        plan = running.plan
        await running.step("undo", lambda _: undo.put_back(plan))
        await running.step("rollout", lambda say: undo.watched(running, say))
        return phrase(
            "{service} in {environment} runs its revision {revision} again.",
            service=plan.service, environment=plan.environment, revision=plan.params["revision"],
        )  # fmt: skip

    return Flow("undo", undo.check, run)
