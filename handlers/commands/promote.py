"""``promote <service> <version> [to <environment>]``: a plan that brings one immutable digest to one environment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.errors import UserError
from bot.domain.manifests import repository
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.releases import Release
from bot.domain.services import Environment, Service
from bot.domain.sightings import gate_for, gates_name
from bot.domain.targets import Target
from bot.ports.commands import Call, Command, Proposal
from bot.ports.store import Tx
from handlers.commands import promote_targets as targeting
from handlers.commands.evidence import gather
from handlers.commands.evidence_case import Case, Sources
from handlers.commands.promote_resolve import resolve
from handlers.commands.promote_targets import SHORT
from handlers.commands.releases_known import by_digest
from handlers.commands.replies import argument

USAGE = "promote <service> <version> [to <environment>]"


def duty(sources: Sources) -> Command:
    """Resolves the version to a digest, gathers what speaks for and against it, and pins what runs now."""

    async def run(call: Call) -> Proposal:
        service = sources.services.named(argument(call, 0, USAGE))
        version = argument(call, 1, USAGE).removeprefix("v")
        return Proposal(await planned(sources, service, version, _to(call, service), call.now))

    example = sources.services.example
    return Command(
        ("promote", "выкатить"), USAGE, phrase("bring a version to an environment"), run, "promote",
        examples=(f"promote {example} 1.8.0", f"promote {example} 1.8.0 to production"),
    )  # fmt: skip


async def planned(sources: Sources, service: Service, version: str, environment: Environment, now: datetime) -> Plan:
    """What brings *version* to *environment*. UserError: nothing can, with the reason."""
    last = await targeting.found(sources, environment)
    release = await resolve(sources, service, version, repository(last.image))
    if release.prerelease and environment in service.production:
        raise UserError(
            "{service} {version} is a pre-release: not for production.", service=service.name, version=version
        )
    targets = await _targets(sources, service, environment, release)
    return await _plan(sources, service, release, targets, now)


def _to(call: Call, service: Service) -> Environment:
    words = call.args[2:]
    if not words:
        return service.last
    if words[0] in {"to", "в", "на"} and len(words) > 1:
        return service.environment(words[1])
    return service.environment(words[0])


async def _targets(
    sources: Sources, service: Service, environment: Environment, release: Release
) -> tuple[tuple[Target, ...], dict[str, int]]:
    """Those on the way that do not have it yet, and how many pods each has."""
    image = f"{release.image}@{release.digest}"
    stops = [await targeting.found(sources, each, image) for each in targeting.chain(service, environment)]
    waiting = await sources.store.read(
        lambda tx: {stop: _run(tx, service, stop.environment, release) for stop in stops}
    )
    made = [await targeting.target(sources, service, stop, image, waiting[stop]) for stop in stops]
    wanted = tuple(target for target in made if not _has(target))
    if made[-1] not in wanted:
        raise UserError(
            "{service} {version} already runs in {environment}.",
            service=service.name, version=release.version, environment=environment.name,
        )  # fmt: skip
    return wanted, {stop.environment.name: stop.rollout.desired for stop in stops}


def _run(tx: Tx, service: Service, environment: Environment, release: Release) -> int:
    """The workflow run that waits for a word before it deploys *release* there; 0 for none."""
    gate = gate_for(tx.mark(gates_name(service.name, environment.name)), release)
    return gate.run if gate else 0


def _has(target: Target) -> bool:
    """Whether it runs there, and git says the same where git has a say."""
    return target.previous.endswith(f"@{target.digest}") and target.committed in {"", target.digest}


async def _plan(
    sources: Sources,
    service: Service,
    release: Release,
    found: tuple[tuple[Target, ...], dict[str, int]],
    now: datetime,
) -> Plan:
    targets, pods = found
    last = targets[-1]
    running = await sources.store.read(lambda tx: by_digest(tx, service.name, last.previous))
    case = Case(
        service, last.environment, targeting.before(service, last.environment), release, running, release.commit,
        sources.policy.rule("promote"), now,
    )  # fmt: skip
    evidence = await gather(sources, case)
    return Plan(
        action="promote",
        title=phrase(
            "Promote {service} {version} to {environment}",
            service=service.name, version=release.version, environment=last.environment.name,
        ),
        service=service.name,
        environment=last.environment.name,
        steps=targeting.steps(targets, pods),
        params={"version": release.version, "digest": release.digest, "commit": release.commit},
        blast=tuple(targeting.blast(targets, pods)),
        evidence=(*_images(last, running), *(proof.row for proof in evidence.proofs)),
        lock=f"{service.name} in {last.environment.name}",
        targets=targets,
        holds=evidence.holds,
        approvals=evidence.demand.approvals,
        because=evidence.demand.because,
    )  # fmt: skip


def _images(last: Target, running: Release | None) -> Iterable[tuple[Phrase, Phrase]]:
    image = Code(last.previous.partition("@")[2][:SHORT] or last.previous or "–")
    known = phrase("{version}, {image}", version=running.version, image=image) if running else None
    yield phrase("runs now"), known or phrase("{image}", image=image)
    yield phrase("new digest"), phrase("{image}", image=Code(last.digest[:SHORT]))
