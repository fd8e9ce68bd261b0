"""Sync: have Argo CD or Flux look at git and apply it, and follow it to its end."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.revisions import short
from bot.domain.services import Environment, GitOps
from bot.ports.clock import Clock
from bot.ports.flows import Flow, Run, Say
from bot.ports.gitops import Applied
from bot.ports.gitops import GitOps as Tool

PATIENCE = timedelta(minutes=15)
"""Time for git to be fetched, on top of the ten minutes that a rollout may take (progressDeadlineSeconds)."""
LOOK_EVERY = 2.0


def environment(plan: Plan) -> Environment:
    """The environment that *plan* is about."""
    given = plan.params
    brought = GitOps(given["tool"], given["application"], given["repo"])
    place = (given["cluster"], given["namespace"], given["kind"], given["name"])
    return Environment(plan.environment, *place, gitops=brought)


async def follow(tool: Tool, clock: Clock, where: Environment, revision: str, operation: str, say: Say) -> Applied:
    """Wait until *operation*'s request is done. UserError: it is stuck, or took over PATIENCE."""
    ends, told = clock.now() + PATIENCE, None
    while clock.now() < ends:
        found = await _look(tool, where, revision, operation)
        if found and found.done:
            return found
        if found and found.stuck:
            raise UserError("It will not get there by itself: {why}", why=found.stuck)
        if found and found.doing and found.doing != told:
            told = found.doing
            await say(told)
        await clock.sleep(LOOK_EVERY)
    raise UserError("Not in step with git after {time}. Look at {name} there.", time=PATIENCE,
                    name=Code(where.gitops.application))  # fmt: skip


def flow(tool: Tool, clock: Clock) -> Flow:
    """What git says is applied: undone in git."""

    async def check(plan: Plan) -> None:
        await tool.state(environment(plan))

    async def run(running: Run) -> Phrase:
        plan, where = running.plan, environment(running.plan)

        async def ask(_: Say) -> Phrase:
            await tool.ask(where, "", running.operation)
            return phrase("it is asked to look at git")

        async def sync(say: Say) -> Phrase:
            found = await follow(tool, clock, where, "", running.operation, say)
            at = Code(short(found.revision))
            if found.revision == plan.params["was"]:
                return phrase("git has nothing new: it was in step already, at {revision}", revision=at)
            return phrase("in step with git at {revision}", revision=at)

        await running.step("ask", ask)
        await running.step("sync", sync)
        return phrase(
            "{service} in {environment} is in step with git.", service=plan.service, environment=plan.environment
        )

    return Flow("sync", check, run)


async def _look(tool: Tool, where: Environment, revision: str, operation: str) -> Applied | None:
    """How far it is, or None while the API server does not answer: that alone fails nothing."""
    try:
        return await tool.progress(where, revision, operation)
    except TemporaryError:
        return None
