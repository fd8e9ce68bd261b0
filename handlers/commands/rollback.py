"""``rollback <service> [to <version>] [in <environment>]``: back to what ran well, by the hand that owns the workload.

A freeze or a spent budget never holds it: it is what one does because of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.errors import UserError
from bot.domain.manifests import repository
from bot.domain.messages import Button, Message, Paragraph, Style, Tone
from bot.domain.operations import Choice, Operation, State
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.proofs import Mark, Proof
from bot.domain.releases import Deployment, Release
from bot.domain.services import TOOLS, Environment, Service
from bot.domain.targets import Hand, Target
from bot.ports.commands import Call, Command, Proposal, Reply
from bot.ports.store import Tx
from handlers.cards.operation import CHOICES
from handlers.commands import promote_targets as targeting
from handlers.commands.evidence_case import Sources
from handlers.commands.evidence_known import burning, incidents
from handlers.commands.promote_targets import SHORT, Stop
from handlers.commands.releases_known import by_digest, deployed
from handlers.commands.replies import argument, misuse
from handlers.commands.rollback_earlier import Earlier, earlier, revision_of

USAGE = "rollback <service> [to <version>] [in <environment>]"
TO, IN = frozenset({"to", "на", "до", "к"}), frozenset({"in", "в"})


@dataclass(frozen=True)
class Asked:
    """``version`` is empty where the last good one is meant."""

    environment: Environment
    version: str


def duty(sources: Sources) -> Command:
    """Every environment on the way that runs the same digest goes back too, the last one first."""

    async def run(call: Call) -> Proposal | Reply:
        service = sources.services.named(argument(call, 0, USAGE))
        asked = _asked(call, service)
        paused = await sources.store.read(lambda tx: _paused(tx, service, asked.environment))
        if paused is not None:
            return _decide_first(paused)
        stops = await _stops(sources, service, asked)
        backs = [(stop, await earlier(sources, service, stop, asked.version)) for stop in stops]
        targets = tuple(
            [await _target(sources, service, stop, back, named=bool(asked.version)) for stop, back in backs]
        )
        pods = {stop.environment.name: stop.rollout.desired for stop in stops}
        facts = await sources.store.read(lambda tx: _facts(tx, service, stops[0], targets[0]))
        return Proposal(_plan(service, targets, pods, facts, backs[0][1]))

    example = sources.services.example
    return Command(
        ("rollback", "откатить"), USAGE, phrase("go back to the version that ran well"), run, "rollback",
        examples=(f"rollback {example}", f"rollback {example} to 1.7.2 in production"),
    )  # fmt: skip


def _asked(call: Call, service: Service) -> Asked:
    """A bare word is an environment where there is one of that name, else a version."""
    words, environment, version = list(call.args[1:]), service.last, ""
    names = {each.name for each in service.environments}
    while words:
        word = words.pop(0)
        if word in TO | IN and not words:
            raise misuse(USAGE)
        if word in IN:
            environment = service.environment(words.pop(0))
        elif word in TO:
            version = words.pop(0)
        elif word in names:
            environment = service.environment(word)
        else:
            version = word
    return Asked(environment, version.removeprefix("v"))


def _paused(tx: Tx, service: Service, environment: Environment) -> Operation | None:
    """One that holds an environment on the way until somebody decides."""
    way = {each.name for each in targeting.chain(service, environment)}
    held = (each for each in tx.live_operations() if each.state is State.PAUSED and each.plan.service == service.name)
    return next((each for each in held if any(target.environment.name in way for target in each.plan.targets)), None)


def _decide_first(paused: Operation) -> Reply:
    """A rollback would wait behind it, and be void once it is undone; its own way back needs no new approval."""
    ways = [choice for choice in (Choice.UNDO, Choice.ABORT) if choice in paused.choices]
    buttons = tuple(Button(CHOICES[way], f"resume {paused.id} {way}", style=Style.DANGER) for way in ways)
    plan, undo, abort = paused.plan.title, Code(f"resume {paused.id} undo"), Code(f"resume {paused.id} abort")
    text = phrase("{title} waits for a word. {abort} ends it where it is; then roll back.", title=plan, abort=abort)
    if Choice.UNDO in ways:
        text = phrase(
            "{title} waits for a word. {undo} takes back what it did, at once and without another approval. "
            "{abort} ends it where it is; then roll back.",
            title=plan, undo=undo, abort=abort,
        )  # fmt: skip
    title = phrase("{id} is paused there: decide that first", id=Code(paused.id))
    return Reply(Message(title, Tone.WARNING, (Paragraph(text),), buttons), ok=False)


async def _stops(sources: Sources, service: Service, asked: Asked) -> list[Stop]:
    """The environment, and those on the way to it that run the same digest, the last one first."""
    *way, last = targeting.chain(service, asked.environment)
    bad = await targeting.found(sources, last)
    found = [await targeting.found(sources, each, bad.image) for each in way]
    return [bad, *(stop for stop in reversed(found) if stop.digest and stop.digest == bad.digest)]


async def _target(sources: Sources, service: Service, stop: Stop, back: Earlier, *, named: bool) -> Target:
    if stop.image.endswith(f"@{back.digest}") and not _canary(stop):
        raise UserError(
            "{service} {version} already runs in {environment}.",
            service=service.name, version=back.called, environment=stop.environment.name,
        )  # fmt: skip
    image = f"{repository(stop.image)}@{back.digest}"
    made = await targeting.target(sources, service, stop, image)
    if made.hand is not Hand.PATCH:
        return made
    revision = back.revision or await revision_of(sources, stop, back.digest)
    if _canary(stop) and (back.stable or not named):
        return replace(made, hand=Hand.ABORT, revision=revision)
    return replace(made, hand=Hand.UNDO, revision=revision) if revision else made


def _canary(stop: Stop) -> bool:
    """Whether a new version is on its way in, beside the stable one."""
    progressive = stop.rollout.progressive
    return progressive is not None and progressive.under_way and not progressive.aborted


@dataclass(frozen=True)
class _Facts:
    """``runs``: the release that is to go, with ``row`` of how it came; ``to``: the one that comes back."""

    runs: Release | None
    to: Release | None
    row: Deployment | None
    incidents: Proof


def _facts(tx: Tx, service: Service, stop: Stop, target: Target) -> _Facts:
    row = deployed(tx, service.name, stop.environment.name, stop.digest)
    runs, to = by_digest(tx, service.name, stop.image), by_digest(tx, service.name, target.image)
    return _Facts(runs, to, row, incidents(burning(tx, service.name)))


def _plan(service: Service, targets: tuple[Target, ...], pods: dict[str, int], facts: _Facts, back: Earlier) -> Plan:
    first = targets[0]
    names = ", ".join(target.environment.name for target in targets)
    return Plan(
        action="rollback",
        title=phrase(
            "Roll back {service} to {version} in {environment}",
            service=service.name, version=back.called, environment=names,
        ),
        service=service.name,
        environment=first.environment.name,
        steps=targeting.steps(targets, pods),
        params={"version": back.called, "digest": back.digest, "from": facts.runs.version if facts.runs else ""},
        blast=(*targeting.blast(targets, pods), _mechanism(first)),
        evidence=tuple(_rows(first, facts, back)),
        lock=f"{service.name} in {first.environment.name}",
        targets=targets,
    )  # fmt: skip


def _mechanism(target: Target) -> Phrase:
    """Which hand goes back, and why this one."""
    match target.hand:
        case Hand.COMMIT | Hand.PULL:
            tool = TOOLS[target.environment.gitops.tool]
            return phrase("By git: {tool} owns the workload and would put back anything else.", tool=tool)
        case Hand.PIPELINE:
            return phrase("By the pipeline: it is what deploys there.")
        case Hand.ABORT:
            return phrase("By aborting the rollout that is under way: the stable version takes all traffic at once.")
        case Hand.UNDO:
            return phrase("By the workload's own history: nothing else owns it.")
        case Hand.PATCH:
            return phrase("By setting the image: nothing else owns the workload, and its history has no such revision.")


def _rows(target: Target, facts: _Facts, back: Earlier) -> Iterable[tuple[Phrase, Phrase]]:
    yield phrase("runs now"), _named(facts.runs, target.previous, facts.row)
    yield phrase("goes back to"), _named(facts.to, target.image, None)
    yield phrase("because"), back.why
    yield facts.incidents.row
    if facts.runs and facts.runs.migrations:
        said = phrase("what runs has changed data: make sure that the earlier version can read it")
        yield Proof("migrations", phrase("Migrations"), Mark.BAD, said).row


def _named(release: Release | None, image: str, row: Deployment | None) -> Phrase:
    digest = Code(image.partition("@")[2][:SHORT] or image or "–")
    said = (
        phrase("{version}, {image}", version=release.version, image=digest)
        if release
        else phrase("{image}", image=digest)
    )
    return phrase("{version}, since {at}", version=said, at=row.since) if row and row.since else said
