"""``undo <service> [revision] [in <environment>]``: the pod template that the workload had before, by its own history.

``rollback`` brings back a version; this brings back all of a template: image, variables, limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.services import NO_TOOL, TOOLS, Catalogue, Environment, Service
from bot.ports.cluster import Cluster, Rollout, Workload
from bot.ports.commands import Call, Command, Proposal
from bot.ports.rollouts import Revision, Rollouts
from handlers.commands.replies import argument, env_named, misuse, params, unpaused

USAGE = "undo <service> [revision] [in <environment>]"
LISTED = 10
"""Revisions that are named: as many as a Deployment keeps by default."""


@dataclass(frozen=True)
class _Asked:
    """``current`` is None where the history has nothing of what is asked for now."""

    service: Service
    environment: Environment
    rollout: Rollout
    current: Revision | None
    earlier: Revision


def duty(cluster: Cluster, rollouts: Rollouts, services: Catalogue) -> Command:
    """Without a revision, the last before what is asked for now."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        environment, rest = env_named(call, service)
        if len(rest) > 1:
            raise misuse(USAGE)
        _ours(service, environment)
        target = Workload.of(environment)
        rollout = unpaused(target, await cluster.rollout(target))
        kept = await rollouts.revisions(target)
        earlier = _chosen(service, environment, kept, rest[0] if rest else "")
        current = next((each for each in kept if each.current), None)
        return Proposal(_plan(_Asked(service, environment, rollout, current, earlier)))

    example = next((each.name for each in services if each.primary.gitops.tool == NO_TOOL), "api")
    return Command(
        ("undo", "вернуть", "верни"), USAGE, phrase("put back what its pods were before, from its own history"), run,
        "undo", examples=(f"undo {example}", f"undo {example} 3"),
    )  # fmt: skip


def _ours(service: Service, environment: Environment) -> None:
    """UserError: git owns the template, so that an undo in the cluster would not last."""
    gitops = environment.gitops
    if gitops.tool == NO_TOOL:
        return
    raise UserError(
        "{service} in {environment} comes from git ({path} in {repo}): {tool} would overwrite an undo in the cluster. "
        "To bring an earlier version back in git: {rollback}",
        service=service.name, environment=environment.name, tool=TOOLS[gitops.tool],
        rollback=Code(f"rollback {service.name} in {environment.name}"), repo=gitops.repo, path=Code(gitops.path),
    )  # fmt: skip


def _chosen(service: Service, environment: Environment, kept: tuple[Revision, ...], named: str) -> Revision:
    """UserError: there is none to go back to, or not that one."""
    where = {"service": service.name, "environment": environment.name}
    earlier = [each for each in kept if not each.current]
    if not named and earlier:
        return earlier[0]
    if not earlier:
        raise UserError("The cluster keeps no earlier revision of {service} in {environment}.", **where)
    found = next((each for each in kept if each.revision == named), None)
    if found is None:
        raise UserError(
            "The cluster keeps no revision {revision} of {service} in {environment}. It keeps: {kept}.", **where,
            revision=Code(named[:20]), kept=", ".join(each.revision for each in earlier[:LISTED]),
        )  # fmt: skip
    if found.current:
        raise UserError("Revision {revision} is what {service} in {environment} asks for already.", **where,
                        revision=found.revision)  # fmt: skip
    return found


def _plan(asked: _Asked) -> Plan:
    service, environment, earlier = asked.service.name, asked.environment.name, asked.earlier
    return Plan(
        action="undo",
        title=phrase(
            "Put {service} in {environment} back to revision {revision}",
            service=service, environment=environment, revision=earlier.revision,
        ),
        service=service,
        environment=environment,
        steps=(
            PlannedStep("undo", phrase(
                "Put the template of revision {revision} back on {name}",
                revision=earlier.revision, name=Code(f"{asked.environment.kind}/{asked.environment.workload}"),
            ), _back(asked)),
            PlannedStep(
                "rollout",
                counted("Watch until its pod runs it", "Watch until all {n} pods run it", asked.rollout.desired),
                skippable=True,
            ),
        ),
        params={
            **params(asked.environment), "revision": earlier.revision, "created": earlier.created.isoformat(),
        },
        pins={"template": asked.rollout.template},
        blast=tuple(_blast(asked)),
        evidence=(
            (phrase("runs now"), _told(asked.current, asked.rollout.images)),
            (phrase("goes back to"), _told(earlier, earlier.images)),
        ),
        lock=f"{service} in {environment}",
    )  # fmt: skip


def _back(asked: _Asked) -> Phrase | None:
    """None where the history has nothing of what is asked for now."""
    if asked.current is None:
        return None
    command = f"undo {asked.service.name} {asked.current.revision} in {asked.environment.name}"
    return phrase("another undo, {command}", command=Code(command))


def _told(revision: Revision | None, images: tuple[str, ...]) -> Phrase:
    shown = Code(", ".join(map(_short, images))[:120] or "–")
    if revision is None:
        return phrase("{image}", image=shown)
    return phrase("revision {revision} of {at}: {image}", revision=revision.revision, at=revision.created, image=shown)


def _short(image: str) -> str:
    """Name and tag or a digest's first digits, without the registry's path."""
    name, at, digest = image.rpartition("/")[2].partition("@")
    return name + at + digest[:19]


def _blast(asked: _Asked) -> Iterable[Phrase]:
    yield counted(
        "{n} pod in {cluster} is replaced.", "{n} pods in {cluster} are replaced one by one.", asked.rollout.desired,
        cluster=asked.environment.cluster,
    )  # fmt: skip
    if asked.current and asked.current.images == asked.earlier.images:
        yield phrase("The images stay: what comes back is the rest of the template, such as variables and limits.")
    if asked.environment.gate or asked.environment.workflow:
        yield phrase("The pipeline is not told: its next run brings what it deploys.")
    if asked.rollout.progressive:
        yield phrase("Where the rollout waits at a step for somebody, pult moves it on.")
