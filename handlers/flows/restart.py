"""Restart: roll the pods, delete one, or evict them one after the other; then watch until all are available."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Pod
from bot.ports.evictions import Evictions, Resident
from bot.ports.flows import Flow, Run, Say
from bot.ports.rollouts import Rollouts
from handlers.flows.evicting import Evicting
from handlers.flows.rollouts import StuckError, ailing, target, watch
from handlers.flows.tools import LOOK_EVERY, PATIENCE

ENDING = "Terminating"
"""Phase of a pod that was told to go."""


@dataclass(frozen=True)
class _Restart:
    cluster: Cluster
    rollouts: Rollouts
    evictions: Evictions
    clock: Clock

    async def check(self, plan: Plan) -> None:
        """DriftError: the workload is no longer as it was planned on."""
        rollout = await self.cluster.rollout(target(plan))
        if plan.pins and rollout.template != plan.pins["template"]:
            raise DriftError("{service} was changed after this was planned.", service=plan.service)
        if rollout.paused:
            raise DriftError("{service} was paused after this was planned.", service=plan.service)
        if "uid" in plan.params and await self._standing(plan) is None:
            raise DriftError("The pod {pod} that was planned on is gone.", pod=Code(plan.params["pod"]))
        if "evict" in plan.params and not await self._planned(plan):
            raise DriftError("Every pod that was planned on is gone.")

    async def roll(self, run: Run) -> Phrase:
        """Once: the operation's id stays noted on the workload."""
        await self.cluster.restart(target(run.plan), run.operation, self.clock.now())
        return phrase("the restart is ordered")

    async def delete(self, plan: Plan, say: Say) -> Phrase:
        """Until it is gone: a StatefulSet counts it as serving until then. StuckError: its node does not end it."""
        pod, begun = Code(plan.params["pod"]), self.clock.now()
        while self.clock.now() < begun + PATIENCE:
            with suppress(TemporaryError):  # an API server that is away for a while fails nothing
                found = await self._standing(plan)
                if found is None:
                    return phrase("{pod} is gone", pod=pod)
                if found.phase != ENDING:
                    await self.cluster.delete_pod(target(plan), found.name, found.uid)
                    await say(phrase("{pod} is told to go", pod=pod))
            await self.clock.sleep(LOOK_EVERY)
        raise StuckError("{pod} was told to go, and its node does not say that it is gone.", pod=pod)

    async def _standing(self, plan: Plan) -> Pod | None:
        """The pod that was planned on; None once it is gone."""
        found = await self.cluster.pods(target(plan))
        return next((pod for pod in found if pod.uid == plan.params["uid"]), None)

    async def evict(self, plan: Plan, say: Say) -> Phrase:
        """Those that were planned; which of them still stand is seen anew after a crash."""
        workload, count = target(plan), len(plan.params["evict"].split())

        async def look() -> tuple[Resident, ...]:
            return await self._planned(plan)

        async def ails(since: datetime) -> Phrase | None:
            return await ailing(self.cluster, workload, since, placed=True)

        await Evicting(self.evictions, self.clock, look, count, ails).all(say)
        return counted("{n} pod is replaced", "{n} pods are replaced", count)

    async def _planned(self, plan: Plan) -> tuple[Resident, ...]:
        """Those of the pods that were planned on that still stand."""
        planned = plan.params["evict"].split()
        return tuple(each for each in await self.evictions.pods(target(plan)) if each.pod.uid in planned)

    async def put_back(self, run: Run) -> Phrase:
        """The template of before. UserError: somebody else has changed it since."""
        workload, revision = target(run.plan), run.plan.pins["revision"]
        now = await self.cluster.rollout(workload)
        if now.restarted_by != run.operation:
            return phrase("what its pods are made from is as it was")
        kept = await self.rollouts.revisions(workload)
        was = next((each for each in kept if each.revision == revision), None)
        if was is None or was.images != now.images:
            raise UserError("{service} was changed after its restart: look at it yourself.", service=run.plan.service)
        await self.rollouts.undo(workload, revision, now.template)
        return phrase("revision {revision} is back", revision=revision)

    async def clear(self, plan: Plan) -> None:
        """A StatefulSet leaves a pod that never became ready as it is, whatever its template says by now.

        kubernetes.io, StatefulSets, "Forced rollback": such pods are to be deleted by hand.
        """
        workload = target(plan)
        if workload.kind != "statefulset":
            return
        for pod in await self.cluster.pods(workload):
            if pod.trouble is not None and not pod.ready:
                await self.cluster.delete_pod(workload, pod.name, pod.uid)


def flow(cluster: Cluster, rollouts: Rollouts, evictions: Evictions, clock: Clock) -> Flow:
    """A rolling restart that gets stuck can be taken back; a pod that is gone can't."""
    restart = _Restart(cluster, rollouts, evictions, clock)

    async def run(running: Run) -> Phrase:
        plan = running.plan
        if "evict" in plan.params:
            await running.step("evict", lambda say: restart.evict(plan, say))
        elif "pod" in plan.params:
            await running.step("restart", lambda say: restart.delete(plan, say))
        else:
            await running.step("restart", lambda _: restart.roll(running))
        await running.step("rollout", lambda say: watch(cluster, clock, target(plan), say))
        return phrase("{service} is restarted and available.", service=plan.service)

    async def undo(running: Run) -> Phrase:
        plan = running.plan

        async def back(_: Say) -> Phrase:
            said = await restart.put_back(running)
            await restart.clear(plan)
            return said

        await running.step("undo", back, phrase("Put back what its pods were made from"))
        there = phrase("Watch until every pod is available again")
        await running.step("undo-rollout", lambda say: watch(cluster, clock, target(plan), say), there)
        return phrase("{service} runs what it ran before the restart.", service=plan.service)

    return Flow("restart", restart.check, run, undo, lambda plan: bool(plan.pins.get("revision")))
