"""What a plan changes: each environment on the way, by the hand that owns its workload, pinned as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.manifests import image_digest, repository
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import PlannedStep
from bot.domain.services import NO_TOOL, TOOLS, Environment, Service
from bot.domain.targets import Hand, Stage, Target, step_name
from bot.ports.cluster import Rollout, Workload
from handlers.commands.evidence_case import Sources

SHORT = 19
"""Characters of a digest that are shown: its algorithm and twelve digits."""


@dataclass(frozen=True)
class Stop:
    """One environment as it was found. ``image``: what its workload runs of the service's own repository."""

    environment: Environment
    rollout: Rollout
    image: str

    @property
    def digest(self) -> str:
        """``sha256:…`` that runs, empty where the image has none."""
        return self.image.partition("@")[2]


def chain(service: Service, environment: Environment) -> tuple[Environment, ...]:
    """*environment* after all that a promotion to it goes through first."""
    way = [environment]
    while way[0].after:
        before = service.environment(way[0].after)
        if before in way:
            break
        way.insert(0, before)
    return tuple(way)


def before(service: Service, environment: Environment) -> Environment | None:
    """The stop that a release comes from on its way to *environment*: the one in front of the whole chain."""
    at = service.environments.index(chain(service, environment)[0])
    return service.environments[at - 1] if at else None


async def found(sources: Sources, environment: Environment, image: str = "") -> Stop:
    """What runs there now; *image* names the service's repository, where there are sidecars."""
    rollout = await sources.cluster.rollout(Workload.of(environment))
    own = [running for running in rollout.images if image and repository(running) == repository(image)]
    return Stop(environment, rollout, next(iter((*own, *rollout.images)), ""))


def owner(environment: Environment) -> Hand:
    """The one hand that changes the image there."""
    if environment.gate or environment.workflow:
        return Hand.PIPELINE
    if environment.gitops.tool == NO_TOOL:
        return Hand.PATCH
    return Hand.PULL if environment.gitops.by == "pull" else Hand.COMMIT


async def target(sources: Sources, service: Service, stop: Stop, image: str, run: int = 0) -> Target:
    """*image* for *stop* by the hand that owns it. UserError: it is deployed from git, and git can't carry it."""
    hand, gitops = owner(stop.environment), stop.environment.gitops
    made = Target(stop.environment, hand, image, stop.image, stop.rollout.template, run=run)
    if hand not in {Hand.COMMIT, Hand.PULL}:
        return made
    if sources.forge is None:
        raise UserError("{service} is deployed from git, and no GitHub is configured.", service=service.name)
    file = await sources.forge.read(gitops.repo, gitops.path, gitops.branch)
    committed = await asyncio.to_thread(image_digest, file.text, repository(image), gitops.key)
    return Target(stop.environment, hand, image, stop.image, stop.rollout.template, file=file.sha, committed=committed)


def steps(targets: tuple[Target, ...], pods: Mapping[str, int]) -> tuple[PlannedStep, ...]:
    """Every stage of every target, in order. *pods*: how many there are, by environment."""
    alone = len(targets) == 1
    return tuple(
        PlannedStep(
            step_name(stage, target, alone=alone),
            _where(_title(stage, target, pods[target.environment.name]), target, alone=alone),
            _back(target, alone=alone) if stage is Stage.APPLY else None,
            skippable=stage is Stage.VERIFY,
        )
        for target in targets
        for stage in target.stages
    )


def _back(target: Target, *, alone: bool) -> Phrase | None:
    said = _undo(target)
    return _where(said, target, alone=alone) if said else None


def _where(said: Phrase, target: Target, *, alone: bool) -> Phrase:
    """*said*, and where, unless there is only one place."""
    return said if alone else phrase("{environment}: {said}", environment=target.environment.name, said=said)


def _title(stage: Stage, target: Target, pods: int) -> Phrase:
    match stage:
        case Stage.APPLY:
            return _applied(target)
        case Stage.SYNC:
            tool = TOOLS[target.environment.gitops.tool]
            return phrase("Have {tool} apply it in {cluster}", tool=tool, cluster=target.environment.cluster)
        case Stage.ROLLOUT:
            return counted("Watch until its pod runs it", "Watch until all {n} pods run it", pods)
        case Stage.VERIFY:
            bake = target.environment.verification.bake
            if bake:
                return phrase("Verify for {time} that users and pods are well", time=bake)
            return phrase("Look once whether users and pods are well: no bake time is set")


def _applied(target: Target) -> Phrase:
    digest, gitops = Code(target.digest[:SHORT]), target.environment.gitops
    match target.hand:
        case Hand.COMMIT:
            return phrase(
                "Commit {digest} to {path} in {repo}", digest=digest, path=Code(gitops.path), repo=gitops.repo
            )
        case Hand.PULL:
            return phrase(
                "Merge a pull request with {digest} for {path} in {repo}",
                digest=digest, path=Code(gitops.path), repo=gitops.repo,
            )  # fmt: skip
        case Hand.PIPELINE:
            if target.run:
                return phrase("Let the waiting run {run} deploy {digest}", run=Code(str(target.run)), digest=digest)
            workflow = target.environment.workflow or target.environment.gate
            return phrase("Have {workflow} deploy {digest}", workflow=Code(workflow), digest=digest)
        case Hand.PATCH:
            return phrase("Set the image of {name} to {digest}", name=Code(target.environment.workload), digest=digest)
        case Hand.UNDO:
            return phrase(
                "Undo {name} to its revision {revision}, which is {digest}",
                name=Code(target.environment.workload), revision=target.revision, digest=digest,
            )  # fmt: skip
        case Hand.ABORT:
            return phrase("Abort the rollout that is under way; {digest} stays", digest=digest)


def _undo(target: Target) -> Phrase | None:
    """How what the hand did is taken back; an aborted rollout has no way back."""
    was = Code(target.earlier[:SHORT])
    match target.hand:
        case Hand.COMMIT:
            return phrase("revert the commit, back to {digest}", digest=was)
        case Hand.PULL:
            return phrase("another pull request, back to {digest}", digest=was)
        case Hand.PIPELINE:
            return phrase("have the pipeline deploy {digest}", digest=was)
        case Hand.PATCH | Hand.UNDO:
            return phrase("set the image back to {image}", image=was)
        case Hand.ABORT:
            return None


def blast(targets: tuple[Target, ...], pods: Mapping[str, int]) -> Iterable[Phrase]:
    """What is touched, and in which order."""
    for target in targets:
        where = target.environment
        yield counted(
            "{n} pod in {cluster} is replaced.", "{n} pods in {cluster} are replaced one by one.", pods[where.name],
            cluster=where.cluster,
        )  # fmt: skip
    if len(targets) > 1:
        names = [target.environment.name for target in targets]
        yield phrase("{order}: each begins only after the one before it is verified.", order=" → ".join(names))
