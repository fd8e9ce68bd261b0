"""``scale <service> N [--autoscaler] [in <environment>]``: another number of pods; what an autoscaler does to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.errors import UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Hold, Plan, PlannedStep
from bot.domain.services import NO_TOOL, TOOLS, Catalogue, Environment, Service
from bot.ports.cluster import Cluster, Rollout, Workload
from bot.ports.commands import Call, Command, Proposal
from bot.ports.forge import Forge
from bot.ports.scaling import Autoscaler, Scaling
from handlers.commands.replies import argument, env_named, misuse, params, unpaused
from handlers.commands.scale_git import Written, written

USAGE = "scale <service> <pods> [--autoscaler] [in <environment>]"
BOUNDS = frozenset({"--autoscaler", "--hpa"})
"""The autoscaler's bounds are to change, too."""
MOST = 1000
"""Pods. Ours: more is a slip of the finger, and the nodes for it are ordered by other means."""
ZERO = "zero"
"""Name of the hold, by which it is overridden."""


@dataclass(frozen=True)
class _Asked:
    """What is to become of what was found; ``scaler``: what moves the number by itself, ``bounded`` what it will be.

    ``written``: what is to stand in git, where git owns the number.
    """

    service: Service
    environment: Environment
    rollout: Rollout
    count: int
    scaler: Autoscaler | None
    bounded: Autoscaler | None = None
    written: Written | None = None


def duty(cluster: Cluster, scaling: Scaling, services: Catalogue, forge: Forge | None) -> Command:
    """Looks at the workload and at its autoscaler now, and plans on what it sees."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        environment, rest = env_named(call, service)
        words = tuple(word for word in rest if word.lower() not in BOUNDS)
        count, bounds = _count(words), len(words) < len(rest)
        _scalable(environment)
        target = Workload.of(environment)
        rollout = unpaused(target, await cluster.rollout(target))
        asked = _Asked(service, environment, rollout, count, await scaling.autoscaler(target))
        if environment.gitops.tool != NO_TOOL:
            _unmoved(asked, bounds=bounds)
            _possible(asked)
            return Proposal(_plan(replace(asked, written=await written(forge, service, environment, count))))
        asked = replace(asked, bounded=_bounded(asked) if bounds else None)
        _possible(asked)
        return Proposal(_plan(asked))

    example = services.example
    return Command(
        ("scale", "масштаб", "масштабируй"), USAGE, phrase("change its number of pods"), run, "scale",
        examples=(f"scale {example} 4", f"scale {example} 9 --autoscaler"),
    )  # fmt: skip


def _count(rest: tuple[str, ...]) -> int:
    if len(rest) != 1 or not (rest[0].isascii() and rest[0].isdecimal()):
        raise misuse(USAGE)
    if len(rest[0]) > len(str(MOST)) or int(rest[0]) > MOST:
        raise UserError("At most {most} pods can be asked for.", most=MOST)
    return int(rest[0])


def _scalable(environment: Environment) -> None:
    if environment.kind == "daemonset":
        raise UserError("A {kind} runs one pod on each node: it has no number to set.", kind=environment.kind)


def _unmoved(asked: _Asked, *, bounds: bool) -> None:
    """UserError: an autoscaler moves what git would set, and its bounds are git's own, too."""
    if asked.scaler is None and not bounds:
        return
    gitops, scaler = asked.environment.gitops, asked.scaler
    raise UserError(
        "{service} in {environment} belongs to git, and what an autoscaler moves is not set there. Change the bounds "
        "of {scaler} in {repo}, beside {path}.",
        service=asked.service.name, environment=asked.environment.name, repo=gitops.repo or "–",
        path=Code(gitops.path or "–"), scaler=Code(scaler.name if scaler else "HorizontalPodAutoscaler"),
    )  # fmt: skip


def _bounded(asked: _Asked) -> Autoscaler:
    """At least so many from now on, and at most no fewer. UserError: no autoscaler is there, or it can't do that."""
    scaler, count = asked.scaler, asked.count
    if scaler is None:
        raise UserError("No autoscaler moves {service} in {environment}.", service=asked.service.name,
                        environment=asked.environment.name)  # fmt: skip
    if count == 0:
        raise UserError("An autoscaler keeps at least one pod.")
    return replace(scaler, least=count, most=max(scaler.most, count))


def _possible(asked: _Asked) -> None:
    """UserError: it is so already, or will not stay or become so."""
    where = {"service": asked.service.name, "environment": asked.environment.name}
    if asked.count == asked.rollout.desired and asked.bounded in {None, asked.scaler}:
        raise UserError("{service} in {environment} asks for {count} pods already.", **where, count=asked.count)
    way = asked.rollout.progressive
    if way is not None and way.under_way:
        raise UserError("{service} has a new version under way in {environment}; scale it once that is over.", **where)
    scaler = asked.bounded or asked.scaler
    if scaler and asked.count == 0:
        raise UserError("The autoscaler {name} keeps at least one pod of {service} in {environment}.", **where,
                        name=Code(scaler.name))  # fmt: skip
    if scaler and not scaler.least <= asked.count <= scaler.most:
        raise UserError(
            "The autoscaler {name} keeps {service} in {environment} between {least} and {most} pods, and {count} is "
            "outside. {command} changes its bounds, too.",
            **where, name=Code(scaler.name), least=scaler.least, most=scaler.most, count=asked.count,
            command=Code(f"scale {asked.service.name} {asked.count} --autoscaler in {asked.environment.name}"),
        )  # fmt: skip


def _plan(asked: _Asked) -> Plan:
    service, environment, was = asked.service.name, asked.environment.name, asked.rollout.desired
    return Plan(
        action="scale",
        title=phrase(
            "Scale {service} in {environment} from {was} to {count}",
            service=service, environment=environment, was=was, count=asked.count,
        ),
        service=service,
        environment=environment,
        steps=(*_changes(asked), PlannedStep("rollout", _watched(asked.count), skippable=True)),
        params={
            **params(asked.environment), "count": str(asked.count),
            "autoscaler": asked.scaler.name if asked.scaler else "", "bounds": _bounds(asked.bounded),
            **(asked.written.params(asked.environment) if asked.written else {}),
        },
        pins={
            "count": str(was), "bounds": _bounds(asked.scaler), "file": asked.written.sha if asked.written else "",
        },
        blast=tuple(_blast(asked)),
        evidence=((phrase("Now"), phrase(
            "{ready} of {count} pods are ready", ready=asked.rollout.ready, count=was
        )),),
        lock=f"{service} in {environment}",
        holds=_holds(asked),
    )  # fmt: skip


def _bounds(scaler: Autoscaler | None) -> str:
    return f"{scaler.least} {scaler.most}" if scaler else ""


def _changes(asked: _Asked) -> Iterable[PlannedStep]:
    """The steps that change something."""
    was, will = asked.scaler, asked.bounded
    if asked.written:
        path, gitops = Code(asked.written.path), asked.environment.gitops
        write = counted("Write {n} pod into {path} of {repo}", "Write {n} pods into {path} of {repo}", asked.count,
                        path=path, repo=gitops.repo)  # fmt: skip
        yield PlannedStep("write", write, phrase("write there what stood there before, and have it applied"))
        yield PlannedStep("sync", phrase("Have {tool} apply it", tool=TOOLS[gitops.tool]))
        return
    if was and will:
        bounds = phrase("Let the autoscaler {name} keep {least} to {most} pods", name=Code(will.name),
                        least=will.least, most=will.most)  # fmt: skip
        yield PlannedStep(
            "autoscaler", bounds, phrase("let it keep {least} to {most} again", least=was.least, most=was.most)
        )
    before = asked.rollout.desired
    yield PlannedStep(
        "scale",
        counted("Ask for {n} pod", "Ask for {n} pods", asked.count),
        counted("ask for {n} pod again", "ask for {n} pods again", before),
    )


def _watched(count: int) -> Phrase:
    if count == 0:
        return phrase("Watch until no pod is left")
    return counted("Watch until {n} pod is available", "Watch until {n} pods are available", count)


def _blast(asked: _Asked) -> Iterable[Phrase]:
    more = asked.count - asked.rollout.desired
    if more > 0:
        yield counted("{n} pod is added, where a node has room.", "{n} pods are added, where nodes have room.", more)
    elif more < 0:
        yield counted(
            "{n} pod is stopped, whatever a disruption budget says.",
            "{n} pods are stopped, whatever a disruption budget says.",
            -more,
        )
    scaler = asked.bounded or asked.scaler
    if scaler and scaler.least == scaler.most:
        yield phrase("The autoscaler {name} keeps it there, whatever the load is.", name=Code(scaler.name))
    elif scaler:
        yield phrase(
            "The autoscaler {name} moves the number again as the load asks for, between {least} and {most}.",
            name=Code(scaler.name), least=scaler.least, most=scaler.most,
        )  # fmt: skip


def _holds(asked: _Asked) -> tuple[Hold, ...]:
    if asked.count:
        return ()
    nobody = phrase(
        "With 0 pods nobody serves {service} in {environment}",
        service=asked.service.name, environment=asked.environment.name,
    )  # fmt: skip
    return (Hold(ZERO, nobody),)
