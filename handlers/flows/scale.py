"""Scale: ask for another number of pods, watch until they are there; back to the number of before by an undo."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.flows import Flow, Run, Say
from bot.ports.scaling import Scaling
from handlers.flows.rollouts import target, watch


@dataclass(frozen=True)
class _Scale:
    cluster: Cluster
    scaling: Scaling
    clock: Clock

    async def check(self, plan: Plan) -> None:
        """DriftError: the number, or what an autoscaler will make of it, is no longer as it was planned on."""
        found = await self._now(plan)
        if found != _was(plan):
            raise DriftError(
                "{service} was scaled to {count} after this was planned.", service=plan.service, count=found
            )
        scaler = await self.scaling.autoscaler(target(plan))
        if scaler and not (plan.params["autoscaler"] and scaler.least <= _count(plan) <= scaler.most):
            raise DriftError("The autoscaler {name} was changed after this was planned.", name=Code(scaler.name))

    async def ask(self, plan: Plan, count: int, operation: str) -> Phrase:
        """Once: *operation* stays noted on the workload, though an autoscaler moves the number on."""
        await self.scaling.scale(target(plan), count, operation)
        return counted("{n} pod is asked for", "{n} pods are asked for", count)

    async def ask_again(self, plan: Plan, operation: str) -> Phrase:
        """The number of before. UserError: it is not pult's number that would be taken away."""
        found = await self._now(plan)
        if found not in {_was(plan), _count(plan)} and not plan.params["autoscaler"]:
            raise UserError("Something else has scaled it to {count} meanwhile.", count=found)
        return await self.ask(plan, _was(plan), f"{operation}-undo")

    async def settled(self, plan: Plan, count: int, say: Say) -> Phrase:
        """UserError: by now something else asks for another number, and no autoscaler was there to do it."""
        said, found = await watch(self.cluster, self.clock, target(plan), say), await self._now(plan)
        if found == count:
            return said
        if not plan.params["autoscaler"]:
            raise UserError("Something else has scaled it to {count} meanwhile.", count=found)
        return phrase("{said}: the autoscaler has moved it to {count}", said=said, count=found)

    async def _now(self, plan: Plan) -> int:
        return (await self.cluster.rollout(target(plan))).desired


def flow(cluster: Cluster, scaling: Scaling, clock: Clock) -> Flow:
    """What an autoscaler makes of the number afterwards is said, and is no failure."""
    scale = _Scale(cluster, scaling, clock)

    async def run(running: Run) -> Phrase:
        plan, count = running.plan, _count(running.plan)
        await running.step("scale", lambda _: scale.ask(plan, count, running.operation))
        await running.step("rollout", lambda say: scale.settled(plan, count, say))
        return phrase(
            "{service} in {environment} is scaled from {was} to {count}.",
            service=plan.service, environment=plan.environment, was=_was(plan), count=count,
        )  # fmt: skip

    async def undo(running: Run) -> Phrase:
        plan, was = running.plan, _was(running.plan)
        again, there = counted("Ask for {n} pod again", "Ask for {n} pods again", was), phrase("Watch until it is so")
        await running.step("undo-scale", lambda _: scale.ask_again(plan, running.operation), again)
        await running.step("undo-rollout", lambda say: scale.settled(plan, was, say), there)
        return counted(
            "{service} in {environment} asks for {n} pod again.", "{service} in {environment} asks for {n} pods again.",
            was, service=plan.service, environment=plan.environment,
        )  # fmt: skip

    return Flow("scale", scale.check, run, undo)


def _was(plan: Plan) -> int:
    return int(plan.pins["count"])


def _count(plan: Plan) -> int:
    return int(plan.params["count"])
