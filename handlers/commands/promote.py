"""``promote <service> <version> [to <environment>]``: a plan that brings one immutable digest to one environment."""

from __future__ import annotations

from bot.domain.errors import UserError
from bot.domain.manifests import image_digest, repository
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.plans import Plan, PlannedStep
from bot.domain.releases import Release
from bot.domain.services import NO_TOOL, Catalogue, Environment, Service
from bot.domain.targets import Hand, Stage, Target
from bot.ports.cluster import Cluster, Rollout
from bot.ports.commands import Call, Command, Proposal
from bot.ports.forge import Forge
from bot.ports.store import Store
from handlers.commands.replies import argument, workload

USAGE = "promote <service> <version> [to <environment>]"


def duty(store: Store, cluster: Cluster, forge: Forge | None, services: Catalogue) -> Command:
    """Resolves the version to a digest, and pins what runs now."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        version = argument(call, 1, USAGE).removeprefix("v")
        environment = _to(call, service)
        release = await store.read(lambda tx: tx.release(service.name, version))
        _promotable(service, version, release)
        assert release is not None
        rollout = await cluster.rollout(workload(environment))
        if _current(release, rollout).endswith(release.digest):
            raise UserError(
                "{service} {version} already runs in {environment}.",
                service=service.name,
                version=version,
                environment=environment.name,
            )
        return Proposal(await _plan(service, environment, release, rollout, forge))

    example = services.names[0] if services.names else "api"
    return Command(
        ("promote", "выкатить"), USAGE, phrase("bring a version to an environment"), run, "promote",
        examples=(f"promote {example} 1.8.0", f"promote {example} 1.8.0 to production"),
    )  # fmt: skip


def _to(call: Call, service: Service) -> Environment:
    words = call.args[2:]
    if not words:
        return service.last
    if words[0] in {"to", "в", "на"} and len(words) > 1:
        return service.environment(words[1])
    return service.environment(words[0])


def _promotable(service: Service, version: str, release: Release | None) -> None:
    if release is None:
        raise UserError(
            "pult has not heard of {service} {version}. {releases} lists what it knows.",
            service=service.name,
            version=Code(version[:40]),
            releases=Code(f"releases {service.name}"),
        )
    if not release.digest:
        raise UserError(
            "{service} {version} has no image digest yet; its pipeline has to report one.",
            service=service.name,
            version=version,
        )
    if release.stage == "failed":
        raise UserError("The pipeline of {service} {version} failed.", service=service.name, version=version)
    if release.prerelease:
        raise UserError("{service} {version} is a pre-release.", service=service.name, version=version)


async def _plan(
    service: Service, environment: Environment, release: Release, rollout: Rollout, forge: Forge | None
) -> Plan:
    current = _current(release, rollout)
    image = repository(release.image or current)
    digest, sha, committed = Code(release.digest[:19]), "", ""
    first = PlannedStep(
        "apply", phrase("Set the image of {name} to {digest}", name=Code(environment.workload), digest=digest),
        phrase("set the image back to {image}", image=Code(current.rpartition("@")[2][:19] or current)),
    )  # fmt: skip
    gitops = environment.gitops
    if gitops.tool != NO_TOOL:
        if forge is None:
            raise UserError("{service} is deployed from git, and no GitHub is configured.", service=service.name)
        file = await forge.read(gitops.repo, gitops.path, gitops.branch)
        sha, committed = file.sha, image_digest(file.text, image)
        first = PlannedStep(
            "apply",
            phrase("Commit {digest} to {path} in {repo}", digest=digest, path=Code(gitops.path), repo=gitops.repo),
            phrase("revert the commit"),
        )  # fmt: skip
    hand = Hand.PATCH if gitops.tool == NO_TOOL else Hand.COMMIT
    target = Target(
        environment, hand, f"{image}@{release.digest}", current, rollout.template, file=sha, committed=committed
    )
    synced = (PlannedStep("sync", phrase("Have it applied")),) if Stage.SYNC in target.stages else ()
    return Plan(
        action="promote",
        title=phrase(
            "Promote {service} {version} to {environment}",
            service=service.name, version=release.version, environment=environment.name,
        ),
        service=service.name,
        environment=environment.name,
        steps=(
            first,
            *synced,
            PlannedStep("rollout", phrase("Watch until all {count} pods run it", count=rollout.desired)),
            PlannedStep("verify", phrase("Verify the digest that runs"), skippable=True),
        ),
        params={"digest": release.digest, "version": release.version},
        targets=(target,),
        blast=(
            phrase("{count} pods in {cluster} are replaced one by one.",
                   count=rollout.desired, cluster=environment.cluster),
        ),
        evidence=tuple(_evidence(release, current)),
        lock=f"{service.name} in {environment.name}",
    )  # fmt: skip


def _current(release: Release, rollout: Rollout) -> str:
    """The image that would be replaced: that of the release's own repository, where there are sidecars."""
    own = [image for image in rollout.images if repository(image) == repository(release.image)]
    return next(iter((*own, *rollout.images)), "")


def _evidence(release: Release, current: str) -> list[tuple[Phrase, Phrase]]:
    rows = [(verbatim(name), verbatim(said)) for name, said in sorted(release.evidence.items())]
    rows.append((phrase("runs now"), phrase("{image}", image=Code(current.rpartition("@")[2][:19] or "–"))))
    rows.append((phrase("new digest"), phrase("{image}", image=Code(release.digest[:19]))))
    return rows
