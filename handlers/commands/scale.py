"""``scale <service> N [in <environment>]``: another number of pods, and what an autoscaler will make of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Hold, Plan, PlannedStep
from bot.domain.services import NO_TOOL, Catalogue, Environment, Service
from bot.ports.cluster import Cluster, Rollout
from bot.ports.commands import Call, Command, Proposal
from bot.ports.scaling import Autoscaler, Scaling
from handlers.commands.replies import argument, env_named, params, unpaused, workload
from handlers.commands.sync import TOOLS

USAGE = "scale <service> <pods> [in <environment>]"
MOST = 1000
"""Pods. Ours: more is a slip of the finger, and the nodes for it are ordered by other means."""
ZERO = "zero"
"""Name of the hold, by which it is overridden."""


@dataclass(frozen=True)
class _Asked:
    """What is to become of what was found; ``scaler``: what moves the number by itself."""

    service: Service
    environment: Environment
    rollout: Rollout
    count: int
    scaler: Autoscaler | None


def duty(cluster: Cluster, scaling: Scaling, services: Catalogue) -> Command:
    """Looks at the workload and at its autoscaler now, and plans on what it sees."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        environment, rest = env_named(call, service)
        count = _count(rest)
        _ours(service, environment)
        target = workload(environment)
        rollout = unpaused(target, await cluster.rollout(target))
        asked = _Asked(service, environment, rollout, count, await scaling.autoscaler(target))
        _possible(asked)
        return Proposal(_plan(asked))

    example = next((each.name for each in services if each.primary.gitops.tool == NO_TOOL), "api")
    return Command(
        ("scale", "масштаб", "масштабируй"), USAGE, phrase("change its number of pods"), run, "scale",
        examples=(f"scale {example} 4",),
    )  # fmt: skip


def _count(rest: tuple[str, ...]) -> int:
    if len(rest) != 1 or not (rest[0].isascii() and rest[0].isdecimal()):
        raise UserError("Write it like this: {usage}", usage=Code(USAGE))
    if len(rest[0]) > len(str(MOST)) or int(rest[0]) > MOST:
        raise UserError("At most {most} pods can be asked for.", most=MOST)
    return int(rest[0])


def _ours(service: Service, environment: Environment) -> None:
    """UserError: nobody may set the number by hand there."""
    if environment.kind == "daemonset":
        raise UserError("A {kind} runs one pod on each node: it has no number to set.", kind=environment.kind)
    gitops = environment.gitops
    if gitops.tool == NO_TOOL:
        return
    raise UserError(
        "{service} in {environment} belongs to git, and {tool} may put the number back: "
        "change replicas in {repo}, beside {path}.",
        service=service.name, environment=environment.name, tool=TOOLS[gitops.tool], repo=gitops.repo,
        path=Code(gitops.path),
    )  # fmt: skip


def _possible(asked: _Asked) -> None:
    """UserError: it is so already, or will not stay or become so."""
    where = {"service": asked.service.name, "environment": asked.environment.name}
    if asked.count == asked.rollout.desired:
        raise UserError("{service} in {environment} asks for {count} pods already.", **where, count=asked.count)
    way = asked.rollout.progressive
    if way is not None and way.under_way:
        raise UserError("{service} has a new version under way in {environment}; scale it once that is over.", **where)
    scaler = asked.scaler
    if scaler and not scaler.least <= asked.count <= scaler.most:
        raise UserError(
            "The autoscaler {name} keeps {service} in {environment} between {least} and {most} pods, and {count} is "
            "outside. Change the autoscaler first.",
            **where, name=Code(scaler.name), least=scaler.least, most=scaler.most, count=asked.count,
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
        steps=(
            PlannedStep(
                "scale",
                counted("Ask for {n} pod", "Ask for {n} pods", asked.count),
                counted("ask for {n} pod again", "ask for {n} pods again", was),
            ),
            PlannedStep(
                "rollout",
                _watched(asked.count),
                skippable=True,
            ),
        ),
        params={
            **params(asked.environment), "count": str(asked.count),
            "autoscaler": asked.scaler.name if asked.scaler else "",
        },
        pins={"count": str(was)},
        blast=tuple(_blast(asked)),
        evidence=((phrase("Now"), phrase(
            "{ready} of {count} pods are ready", ready=asked.rollout.ready, count=was
        )),),
        lock=f"{service} in {environment}",
        holds=_holds(asked),
    )  # fmt: skip


def _watched(count: int) -> Phrase:
    if count == 0:
        return phrase("Watch until no pod is left")
    return counted("Watch until {n} pod is available", "Watch until {n} pods are available", count)


def _blast(asked: _Asked) -> Iterable[Phrase]:
    more = asked.count - asked.rollout.desired
    if more > 0:
        yield counted("{n} pod is added, where a node has room.", "{n} pods are added, where nodes have room.", more)
    else:
        yield counted(
            "{n} pod is stopped, whatever a disruption budget says.",
            "{n} pods are stopped, whatever a disruption budget says.",
            -more,
        )
    if asked.scaler:
        yield phrase(
            "The autoscaler {name} moves the number again as the load asks for, between {least} and {most}.",
            name=Code(asked.scaler.name), least=asked.scaler.least, most=asked.scaler.most,
        )  # fmt: skip


def _holds(asked: _Asked) -> tuple[Hold, ...]:
    if asked.count:
        return ()
    nobody = phrase(
        "With 0 pods nobody serves {service} in {environment}",
        service=asked.service.name, environment=asked.environment.name,
    )  # fmt: skip
    return (Hold(ZERO, nobody),)
