"""Promote and roll back: one digest into one environment after another, each only once the one before is verified.

The one hand that owns a workload changes it; what owns it in the cluster applies it; then the rollout is watched, and
the version verified where it runs. The way back takes the same steps, in reverse order of what was changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import BadVersionError, DriftError, UserError
from bot.domain.fates import BACK
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.targets import Hand, Stage, Target, step_name
from bot.ports.cluster import Rollout, Workload
from bot.ports.flows import Did, Flow, Run, Say
from handlers.flows.applied import Applying
from handlers.flows.git import Git
from handlers.flows.hands import Hands
from handlers.flows.pipelines import Pipelines
from handlers.flows.rollouts import Moves, StuckError, Watch
from handlers.flows.told import Telling
from handlers.flows.tools import Tools, in_git
from handlers.flows.verify import Verifying

Staged = Callable[[Say], Awaitable[Phrase | Did]]


@dataclass(frozen=True)
class StepSay:
    """Speaks for one step of a rollout: its bake begins there. After a crash it begins anew, which is only longer."""

    since: datetime
    say: Say

    async def __call__(self, so_far: Phrase) -> None:
        await self.say(so_far)


class Deploying:
    """The stages of one target, there and back."""

    def __init__(self, tools: Tools) -> None:
        self._tools, git = tools, Git(tools.forge)
        self._pipelines = Pipelines(tools)
        self._hands = Hands(tools, git, self._pipelines)
        self._applying, self._verifying, self._telling = Applying(tools, git), Verifying(tools), Telling(tools)

    async def check(self, plan: Plan) -> None:
        """DriftError: the world is no longer as it was planned on."""
        if not plan.targets:
            raise DriftError("It was planned by an earlier pult. Plan it again.")
        for target in plan.targets:
            await self._hands.check(plan.service, target)

    async def there(self, run: Run, target: Target) -> bool:
        """Every stage of *target*; whether it was verified, and not taken as it is by a person."""
        brought, found = "", ""
        for stage in target.stages:
            name = step_name(stage, target, alone=len(run.plan.targets) == 1)
            value = await run.step(name, self._watched(run, target, self._forth(stage, run, target, brought)))
            if stage is Stage.APPLY:
                brought = value
            found = value
        return bool(found)

    async def back(self, run: Run, target: Target) -> None:
        """Put back what was there, and see that it is."""
        brought = ""
        for stage in target.stages:
            name = step_name(stage, target, alone=len(run.plan.targets) == 1)
            value = await run.step(BACK + name, self._return(stage, run, target, brought), _title(stage, target))
            brought = value if stage is Stage.APPLY else brought

    def _forth(self, stage: Stage, run: Run, target: Target, brought: str) -> Staged:
        match stage:
            case Stage.APPLY:
                return lambda _: self._apply(run, target)
            case Stage.SYNC:
                return lambda say: self._applying.follow(run, target, brought, target.digest, say)
            case Stage.ROLLOUT:
                return lambda say: self._roll(run, target, brought, say)
            case Stage.VERIFY:
                return lambda say: self._verify(run, target, say)

    def _return(self, stage: Stage, run: Run, target: Target, brought: str) -> Staged:
        match stage:
            case Stage.APPLY:
                return lambda _: self._hands.put_back(run, target)
            case Stage.SYNC:
                return lambda say: self._applying.follow(run, target, brought, target.committed, say)
            case Stage.ROLLOUT:
                return lambda say: self._rolled_back(run, target, brought, say)
            case Stage.VERIFY:
                return lambda say: self._verified_back(run, target, say)

    async def _apply(self, run: Run, target: Target) -> Did:
        did = await self._hands.put(run, target)
        aside = await self._telling.state(run, target, "in_progress", "applied")
        return Did(_beside(did.said, aside), did.value)

    async def _roll(self, run: Run, target: Target, brought: str, say: Say) -> Phrase:
        if target.hand is Hand.PIPELINE:
            await self._pipelines.follow(run, target, int(brought), say)
        try:
            return await self._watch(target, self._moves(run, target)).done(say, target.digest or target.image)
        except StuckError as error:
            at_once = target.environment.verification.on_bad == "rollback"
            raise BadVersionError(
                "{service} {version} does not come up in {environment}: {why}", at_once=at_once,
                service=run.plan.service, version=run.plan.params["version"], environment=target.environment.name,
                why=error.phrase,
            ) from error  # fmt: skip

    def _moves(self, run: Run, target: Target) -> Moves | None:
        """A rollout that waits at a step goes on once the new version is verified there, for its share of users."""
        rollouts = self._tools.rollouts
        if rollouts is None:
            return None

        async def move(rollout: Rollout, say: Say) -> None:
            step = rollout.progressive.step if rollout.progressive else 0
            at = StepSay(self._tools.clock.now(), say)
            await self._verifying.verify(run, target, at)
            await rollouts.advance(Workload.of(target.environment), f"{run.operation}-{step}")

        return move

    async def _verify(self, run: Run, target: Target, say: Say) -> Did:
        closed = await self._applying.settled(target, say) if in_git(target) else None
        did = await self._verifying.verify(run, target, say)
        said = _beside(did.said, await self._telling.arrived(run, target))
        return Did(_beside(said, closed), did.value)

    async def _rolled_back(self, run: Run, target: Target, brought: str, say: Say) -> Phrase:
        if target.hand is Hand.PIPELINE and brought:
            await self._pipelines.follow(run, target, int(brought), say)
        return await self._watch(target).done(say, target.earlier)

    async def _verified_back(self, run: Run, target: Target, say: Say) -> Did:
        did = await self._verifying.verify_back(run, target, say)
        aside = await self._telling.returned(run, target)
        return Did(_beside(did.said, aside), did.value)

    def _watch(self, target: Target, moves: Moves | None = None) -> Watch:
        return Watch(self._tools.cluster, self._tools.clock, Workload.of(target.environment), moves)

    def _watched(self, run: Run, target: Target, work: Staged) -> Staged:
        """*work*, whose failure GitHub hears of."""

        async def told(say: Say) -> Phrase | Did:
            try:
                return await work(say)
            except UserError as error:
                await self._telling.state(run, target, "failure", str(error))
                raise

        return told


def flow(action: str, tools: Tools) -> Flow:
    """``promote`` and ``rollback``: what differs is which digest the plan names."""
    deploying = Deploying(tools)

    async def run(running: Run) -> Phrase:
        plan = running.plan
        unseen = [t.environment.name for t in plan.targets if not await deploying.there(running, t)]
        here = phrase(
            "{service} {version} runs in {environment}.",
            service=plan.service, version=plan.params["version"], environment=_names(plan.targets),
        )  # fmt: skip
        if not unseen:
            return here
        return phrase("{said} It is not verified in {environment}.", said=here, environment=", ".join(unseen))

    async def undo(running: Run) -> Phrase:
        plan = running.plan
        changed = tuple(t for t in plan.targets if _begun(running, t) and t.hand is not Hand.ABORT)
        if not changed:
            raise UserError("An aborted rollout is not begun again by an undo. Promote the version anew.")
        for target in reversed(changed):
            await deploying.back(running, target)
        return phrase(
            "What ran before of {service} runs in {environment} again.",
            service=plan.service, environment=_names(changed),
        )  # fmt: skip

    return Flow(action, deploying.check, run, undo)


def _begun(run: Run, target: Target) -> bool:
    return step_name(Stage.APPLY, target, alone=len(run.plan.targets) == 1) in run.begun


def _names(targets: tuple[Target, ...]) -> str:
    return ", ".join(target.environment.name for target in targets)


def _beside(said: Phrase, aside: Phrase | None) -> Phrase:
    return said if aside is None else phrase("{said} ({aside})", said=said, aside=aside)


def _title(stage: Stage, target: Target) -> Phrase:
    """Of a step on the way back."""
    where = target.environment.name
    match stage:
        case Stage.APPLY:
            return phrase("Put {image} back in {environment}", image=Code(target.earlier[:19]), environment=where)
        case Stage.SYNC:
            return phrase("Have it applied in {environment}", environment=where)
        case Stage.ROLLOUT:
            return phrase("Watch until it runs in {environment}", environment=where)
        case Stage.VERIFY:
            return phrase("Verify it in {environment}", environment=where)
