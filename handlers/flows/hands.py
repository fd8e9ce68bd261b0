"""The hands that change an image: exactly one owns each workload, and what it did it puts back."""

from __future__ import annotations

from typing import assert_never

from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code, phrase
from bot.domain.targets import Hand, Target
from bot.ports.cluster import Rollout, Workload
from bot.ports.flows import Did, Run
from bot.ports.rollouts import Rollouts
from handlers.flows.git import Git
from handlers.flows.pipelines import Pipelines
from handlers.flows.tools import Tools, in_git


class Hands:
    """Each looks before it acts, since a crash may run it twice."""

    def __init__(self, tools: Tools, git: Git, pipelines: Pipelines) -> None:
        self._tools, self._git, self._pipelines = tools, git, pipelines

    async def check(self, service: str, target: Target) -> None:
        """Whether the workload and its file are still as they were planned on."""
        rollout = await self._now(target)
        if rollout.template != target.template:
            raise DriftError("{service} was changed after this was planned.", service=service)
        if in_git(target):
            await self._git.check(target)

    async def put(self, run: Run, target: Target) -> Did:
        """Bring the new image."""
        match target.hand:
            case Hand.COMMIT | Hand.PULL:
                return await self._git.put(run, target)
            case Hand.PIPELINE:
                return await self._pipelines.put(run, target)
            case Hand.PATCH:
                return await self._set(target, target.image, target.previous)
            case Hand.UNDO:
                return await self._undo(target, target.revision)
            case Hand.ABORT:
                return await self._abort(target)
            case _:
                assert_never(target.hand)

    async def put_back(self, run: Run, target: Target) -> Did:
        """Bring again what was there when the plan was made; users are off a version under way at once."""
        await self._stop(target)
        match target.hand:
            case Hand.COMMIT | Hand.PULL:
                return await self._git.put_back(run, target)
            case Hand.PIPELINE if target.environment.workflow:
                return await self._pipelines.put_back(run, target)
            case Hand.PATCH | Hand.PIPELINE:
                return await self._set(target, target.previous, target.image)
            case Hand.UNDO:
                return await self._return(target)
            case Hand.ABORT:
                raise ValueError("an aborted rollout has no way back")
            case _:
                assert_never(target.hand)

    async def _stop(self, target: Target) -> None:
        way = (await self._now(target)).progressive
        if way is not None and way.under_way and not way.aborted and target.hand is not Hand.ABORT:
            await self._known().abort(Workload.of(target.environment))

    async def _set(self, target: Target, image: str, was: str) -> Did:
        rollout = await self._now(target)
        if image in rollout.images:
            return Did(phrase("it was set already"))
        if was not in rollout.images:
            raise DriftError("Something else runs now: {image}", image=Code(", ".join(rollout.images)[:120]))
        await self._tools.cluster.set_image(Workload.of(target.environment), image, rollout.template)
        return Did(phrase("the image is set"))

    async def _undo(self, target: Target, revision: str) -> Did:
        rollout = await self._now(target)
        if _runs(rollout, target.image.partition("@")[2] or target.image):
            return Did(phrase("it was set already"))
        await self._known().undo(Workload.of(target.environment), revision, rollout.template)
        return Did(phrase("revision {revision} is back", revision=revision))

    async def _return(self, target: Target) -> Did:
        """Undo the undo: the newest revision that had the image of before; it may have differed in more than that."""
        rollout = await self._now(target)
        if _runs(rollout, target.earlier):
            return Did(phrase("it was set already"))
        revisions = await self._known().revisions(Workload.of(target.environment))
        found = next((each for each in revisions if target.previous in each.images), None)
        if found is None:
            return await self._set(target, target.previous, target.image)
        await self._known().undo(Workload.of(target.environment), found.revision, rollout.template)
        return Did(phrase("revision {revision} is back", revision=found.revision))

    async def _abort(self, target: Target) -> Did:
        """Traffic goes back to the stable version at once; then the template, which still asks for the new one."""
        rollout = await self._now(target)
        if _runs(rollout, target.digest):
            return Did(phrase("it was aborted already"))
        await self._known().abort(Workload.of(target.environment))
        await self._undo(target, target.revision)
        return Did(phrase("the rollout is aborted"))

    async def _now(self, target: Target) -> Rollout:
        return await self._tools.cluster.rollout(Workload.of(target.environment))

    def _known(self) -> Rollouts:
        if self._tools.rollouts is None:
            raise UserError("pult can't reach the history of this workload.")
        return self._tools.rollouts


def _runs(rollout: Rollout, image: str) -> bool:
    return any(running.endswith(image) for running in rollout.images)
