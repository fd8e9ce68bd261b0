"""Restart: roll the pods (or delete one), then watch until all are available."""

from __future__ import annotations

from bot.domain.errors import DriftError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.flows import Flow, Run, Say
from handlers.flows.rollouts import target, watch


def flow(cluster: Cluster, clock: Clock) -> Flow:
    """A restart changes nothing that could be undone."""

    async def check(plan: Plan) -> None:
        rollout = await cluster.rollout(target(plan))
        if plan.pins and rollout.template != plan.pins["template"]:
            raise DriftError("{service} was changed after this was planned.", service=plan.service)
        if rollout.paused:
            raise DriftError("{service} was paused after this was planned.", service=plan.service)

    async def run(running: Run) -> Phrase:
        workload, pod = target(running.plan), running.plan.params.get("pod", "")

        async def restart(_: Say) -> Phrase:
            if pod:
                await cluster.delete_pod(workload, pod)
                return phrase("{pod} is deleted", pod=Code(pod))
            await cluster.restart(workload, running.operation, clock.now())
            return phrase("the restart is ordered")

        await running.step("restart", restart)
        await running.step("rollout", lambda say: watch(cluster, clock, workload, say))
        return phrase("{service} is restarted and available.", service=running.plan.service)

    return Flow("restart", check, run)
