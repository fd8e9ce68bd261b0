"""Promote: one digest into one environment, through git where git owns it, then verified where it runs."""

from __future__ import annotations

from bot.domain.errors import DriftError, UserError
from bot.domain.manifests import image_digest, with_digest
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.flows import Flow, Run
from bot.ports.forge import File, Forge
from handlers.flows.rollouts import target, watch


class Hand:
    """The one hand that changes an image: a commit where git owns the workload, else a patch of the workload."""

    def __init__(self, cluster: Cluster, forge: Forge | None) -> None:
        self._cluster, self._forge = cluster, forge

    async def check(self, plan: Plan) -> None:
        """Whether the workload and its file are still as they were planned on."""
        rollout = await self._cluster.rollout(target(plan))
        if rollout.template != plan.pins["template"]:
            raise DriftError("{service} was changed after this was planned.", service=plan.service)
        if "repo" in plan.params and (await self._file(plan)).sha != plan.pins["file"]:
            raise DriftError("{path} was changed after this was planned.", path=Code(plan.params["path"]))

    async def put(self, operation: str, plan: Plan) -> Phrase:
        """Set the new image; looks first, since a crash may run this twice."""
        if "repo" in plan.params:
            return await self._commit(operation, plan, plan.params["digest"], plan.params["version"])
        return await self._patch(plan, plan.params["image"])

    async def put_back(self, operation: str, plan: Plan) -> Phrase:
        """Set what the file named, or what the workload ran, when the plan was made."""
        if "repo" in plan.params:
            return await self._commit(operation, plan, plan.pins["committed"], "back")
        return await self._patch(plan, plan.params["previous"])

    async def _patch(self, plan: Plan, image: str) -> Phrase:
        rollout = await self._cluster.rollout(target(plan))
        if image in rollout.images:
            return phrase("it was set already")
        await self._cluster.set_image(target(plan), image, rollout.template)
        return phrase("the image is set")

    async def verify(self, plan: Plan) -> Phrase:
        """What runs is the digest that was approved."""
        rollout, digest = await self._cluster.rollout(target(plan)), plan.params["digest"]
        if not any(image.endswith(digest) for image in rollout.images):
            raise UserError("Something else runs now: {image}", image=Code(", ".join(rollout.images)[:120]))
        return phrase("{digest} runs in {count} pods", digest=Code(digest[:19]), count=rollout.available)

    async def _commit(self, operation: str, plan: Plan, digest: str, version: str) -> Phrase:
        repository = plan.params["repository"]
        file = await self._file(plan)
        if image_digest(file.text, repository) == digest:
            return phrase("it was committed already")
        text = with_digest(file.text, repository, digest)
        message = f"deploy: {plan.service} {version} to {plan.environment}\n\npult operation {operation}"
        repo, path, branch = (plan.params[key] for key in ("repo", "path", "branch"))
        sha = await self._known_forge().commit(repo, path, branch, file, text, message)
        return phrase("commit {sha}", sha=Code(sha[:12]))

    async def _file(self, plan: Plan) -> File:
        return await self._known_forge().read(*(plan.params[key] for key in ("repo", "path", "branch")))

    def _known_forge(self) -> Forge:
        if self._forge is None:
            raise UserError("No GitHub is configured.")
        return self._forge


def flow(cluster: Cluster, forge: Forge | None, clock: Clock) -> Flow:
    """Undo puts the previous image back by the same hand."""
    hand = Hand(cluster, forge)

    async def run(running: Run) -> Phrase:
        plan = running.plan
        digest = plan.params["digest"]
        await running.step("apply", lambda _: hand.put(running.operation, plan))
        await running.step("rollout", lambda say: watch(cluster, clock, target(plan), say, digest))
        await running.step("verify", lambda _: hand.verify(plan))
        return phrase(
            "{service} {version} runs in {environment}.",
            service=plan.service, version=plan.params["version"], environment=plan.environment,
        )  # fmt: skip

    async def undo(operation: str, plan: Plan) -> Phrase:
        await hand.put_back(operation, plan)
        return phrase("The previous image of {service} is set again.", service=plan.service)

    return Flow("promote", hand.check, run, undo)
