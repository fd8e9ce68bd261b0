"""Scale: ask for another number of pods, watch until they are there; back to the number of before by an undo."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.flows import Flow, Run, Say
from bot.ports.scaling import Autoscaler, Scaling
from handlers.flows.rollouts import target, watch
from handlers.flows.scale_git import InGit, in_git


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
        if not _as_planned(plan, scaler := await self.scaling.autoscaler(target(plan))):
            name = Code(scaler.name if scaler else plan.params["autoscaler"])
            raise DriftError("The autoscaler {name} was changed after this was planned.", name=name)

    async def forth(self, run: Run) -> None:
        """The autoscaler's bounds first, where they are to change: else it would undo the number."""
        plan = run.plan
        if bounds := plan.params.get("bounds"):
            await run.step("autoscaler", lambda _: self.bound(plan, bounds))
        await run.step("scale", lambda _: self.ask(plan, _count(plan), run.operation))

    async def back(self, run: Run) -> None:
        """In the same order."""
        plan, was = run.plan, _was(run.plan)
        if plan.params.get("bounds"):
            kept = phrase("Let the autoscaler {name} keep what it kept", name=Code(plan.params["autoscaler"]))
            await run.step("undo-autoscaler", lambda _: self.unbound(plan), kept)
        again = counted("Ask for {n} pod again", "Ask for {n} pods again", was)
        await run.step("undo-scale", lambda _: self.ask_again(plan, run.operation), again)

    async def bound(self, plan: Plan, bounds: str) -> Phrase:
        """Looks first: what has these *bounds* is left alone."""
        least, most = map(int, bounds.split())
        await self.scaling.bound(target(plan), Autoscaler(plan.params["autoscaler"], least, most))
        return phrase("it keeps {least} to {most}", least=least, most=most)

    async def unbound(self, plan: Plan) -> Phrase:
        """The bounds of before. UserError: they are not pult's that would be taken away."""
        now = await self.scaling.autoscaler(target(plan))
        if now and f"{now.least} {now.most}" not in {plan.pins["bounds"], plan.params["bounds"]}:
            raise UserError("The autoscaler {name} was changed meanwhile.", name=Code(now.name))
        return await self.bound(plan, plan.pins["bounds"])

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


def flow(cluster: Cluster, scaling: Scaling, clock: Clock, git: InGit) -> Flow:
    """What an autoscaler makes of the number afterwards is said, and is no failure. Where git owns it, git is asked."""
    scale = _Scale(cluster, scaling, clock)

    async def check(plan: Plan) -> None:
        await scale.check(plan)
        if in_git(plan):
            await git.check(plan)

    async def run(running: Run) -> Phrase:
        plan, count = running.plan, _count(running.plan)
        await (git if in_git(plan) else scale).forth(running)
        await running.step("rollout", lambda say: scale.settled(plan, count, say))
        return phrase(
            "{service} in {environment} is scaled from {was} to {count}.",
            service=plan.service, environment=plan.environment, was=_was(plan), count=count,
        )  # fmt: skip

    async def undo(running: Run) -> Phrase:
        plan, was = running.plan, _was(running.plan)
        await (git if in_git(plan) else scale).back(running)
        there = phrase("Watch until it is so")
        await running.step("undo-rollout", lambda say: scale.settled(plan, was, say), there)
        return counted(
            "{service} in {environment} asks for {n} pod again.", "{service} in {environment} asks for {n} pods again.",
            was, service=plan.service, environment=plan.environment,
        )  # fmt: skip

    return Flow("scale", check, run, undo)


def _as_planned(plan: Plan, scaler: Autoscaler | None) -> bool:
    """Whether what moves the number is the same, and lets it be what was planned; to be changed, it must be as it was.

    One that went away moves nothing: that stops only what was to change it.
    """
    if scaler is None:
        return not plan.params.get("bounds")
    if plan.params.get("bounds"):
        return f"{scaler.name} {scaler.least} {scaler.most}" == f"{plan.params['autoscaler']} {plan.pins['bounds']}"
    return bool(plan.params["autoscaler"]) and scaler.least <= _count(plan) <= scaler.most


def _was(plan: Plan) -> int:
    return int(plan.pins["count"])


def _count(plan: Plan) -> int:
    return int(plan.params["count"])
