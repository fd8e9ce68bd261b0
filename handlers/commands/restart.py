"""``restart <service> [pod] [--evict] [in <environment>]``: by a rolling restart, for one pod, or by eviction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import PultError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.cluster import Cluster, Pod, Rollout, Workload
from bot.ports.commands import Call, Command, Proposal
from bot.ports.evictions import Evictions, Resident
from bot.ports.rollouts import Rollouts
from handlers.commands.rehearsed import rehearsal
from handlers.commands.replies import argument, env_named, misuse, params, unpaused

USAGE = "restart <service> [pod] [--evict] [in <environment>]"
EVICT = frozenset({"--evict", "evict"})
MOST = 200
"""Pods. Ours: one after the other, more of them take hours; a rolling restart is made for that."""


@dataclass(frozen=True)
class _Asked:
    """``pod``: the only one that is meant, or empty."""

    service: Service
    environment: Environment
    rollout: Rollout
    pod: str = ""

    @property
    def lock(self) -> str:
        return f"{self.service.name} in {self.environment.name}"


def duty(cluster: Cluster, rollouts: Rollouts, evictions: Evictions, services: Catalogue) -> Command:
    """Looks at the workload now and plans on what it sees."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        environment, rest = env_named(call, service)
        words = [word for word in rest if word.lower() not in EVICT]
        if len(words) > 1:
            raise misuse(USAGE)
        target = Workload.of(environment)
        rollout = unpaused(target, await cluster.rollout(target))
        asked = _Asked(service, environment, rollout, words[0] if words else "")
        if len(words) < len(rest):
            return Proposal(await _evicting(asked, evictions))
        if asked.pod:
            pods = {pod.name: pod for pod in await cluster.pods(target)}
            _known(asked, pods)
            return Proposal(_one_pod(asked, pods[asked.pod]))
        return Proposal(_rolling(asked, await _revision(asked, rollouts)))

    example = services.example
    return Command(
        ("restart", "перезапустить", "перезапусти"), USAGE,
        phrase("restart its pods one by one, or one of them; by eviction, as disruption budgets allow"), run, "restart",
        examples=(f"restart {example}", f"restart {example} {example}-7c9d4-x2k8p", f"restart {example} --evict"),
    )  # fmt: skip


def _known(asked: _Asked, pods: Iterable[str]) -> None:
    if asked.pod not in pods:
        raise UserError(
            "{service} has no pod {pod}. {pods} lists them.",
            service=asked.service.name,
            pod=Code(asked.pod[:60]),
            pods=Code(f"pods {asked.service.name}"),
        )


async def _revision(asked: _Asked, rollouts: Rollouts) -> str:
    """What an undo would go back to; empty where nothing can. An Argo Rollout restarts without a new template."""
    if asked.environment.kind == "rollout":
        return ""
    try:
        kept = await rollouts.revisions(Workload.of(asked.environment))
    except PultError:
        return ""
    return next((each.revision for each in kept if each.current), "")


def _rolling(asked: _Asked, revision: str) -> Plan:
    rollout = asked.rollout
    watched = counted("Watch until it is available", "Watch until all {n} are available", rollout.desired)
    back = phrase("put back what its pods were made from; those that are replaced already are replaced again")
    return Plan(
        action="restart",
        title=phrase(
            "Restart {service} in {environment}", service=asked.service.name, environment=asked.environment.name
        ),
        service=asked.service.name,
        environment=asked.environment.name,
        steps=(
            PlannedStep("restart", _rolled(rollout), back if revision else None),
            PlannedStep("rollout", watched, skippable=True),
        ),
        params=params(asked.environment),
        pins={"template": rollout.template, "revision": revision},
        blast=tuple(_blast(asked)),
        lock=asked.lock,
    )


def _rolled(rollout: Rollout) -> Phrase:
    if rollout.desired == 1:
        if rollout.missing:
            return phrase("Roll its only pod: the old one goes first")
        return phrase("Roll its only pod: the new one comes first")
    if not rollout.missing:
        return phrase("Roll {count} pods, new ones before old ones go", count=rollout.desired)
    if rollout.missing >= rollout.desired:
        return phrase("Roll {count} pods; all may be missing at the same time", count=rollout.desired)
    return phrase(
        "Roll {count} pods, at most {missing} of them missing at a time", count=rollout.desired, missing=rollout.missing
    )


def _blast(asked: _Asked) -> Iterable[Phrase]:
    rollout = asked.rollout
    yield from _ready(asked)
    if rollout.missing:
        yield phrase(
            "Disruption budgets have no say in a rolling restart; {evict} goes by them.",
            evict=Code(f"restart {asked.service.name} --evict in {asked.environment.name}"),
        )


def _one_pod(asked: _Asked, found: Pod) -> Plan:
    pod = asked.pod
    return Plan(
        action="restart",
        title=phrase("Restart pod {pod} of {service}", pod=pod, service=asked.service.name),
        service=asked.service.name,
        environment=asked.environment.name,
        steps=(
            PlannedStep("restart", phrase("Delete {pod}; its controller makes a new one", pod=Code(pod))),
            PlannedStep("rollout", phrase("Watch until every pod is available again"), skippable=True),
        ),
        params={**params(asked.environment), "pod": pod, "uid": found.uid},
        blast=tuple(_deleted(asked)),
        lock=asked.lock,
    )


def _deleted(asked: _Asked) -> Iterable[Phrase]:
    yield from _ready(asked)
    if asked.rollout.desired == 1:
        yield phrase("It is the only pod: nobody serves until the new one is ready.")


def _ready(asked: _Asked) -> Iterable[Phrase]:
    ready, count = asked.rollout.ready, asked.rollout.desired
    if count == 1:
        yield phrase("Its only pod is ready now.") if ready else phrase("Its only pod is not ready now.")
    elif asked.pod:
        yield phrase("{ready} of {count} pods are ready now; one of them is replaced.", ready=ready, count=count)
    else:
        yield phrase("{ready} of {count} pods are ready now; each is replaced once.", ready=ready, count=count)


async def _evicting(asked: _Asked, evictions: Evictions) -> Plan:
    """Those are meant that stand now: what came later has been started anew by then."""
    found = [each for each in await evictions.pods(Workload.of(asked.environment)) if each.ends is None]
    if asked.pod:
        _known(asked, {each.pod.name for each in found})
        found = [each for each in found if each.pod.name == asked.pod]
    _evictable(asked, found)
    service = asked.service.name
    title = phrase("Restart pod {pod} of {service} by eviction", pod=asked.pod, service=service)
    everything = phrase("Restart {service} in {environment} by eviction", service=service,
                        environment=asked.environment.name)  # fmt: skip
    return Plan(
        action="restart",
        title=title if asked.pod else everything,
        service=service,
        environment=asked.environment.name,
        steps=(
            PlannedStep("evict", counted(
                "Evict {n} pod", "Evict {n} pods, each only once the one before is replaced and serves", len(found)
            )),
            PlannedStep("rollout", phrase("Watch until every pod is available again"), skippable=True),
        ),
        params={**params(asked.environment), "evict": " ".join(each.pod.uid for each in found)},
        blast=tuple(_evicted(asked, found)),
        evidence=await rehearsal(evictions, [each.pod for each in found]),
        lock=asked.lock,
    )  # fmt: skip


def _evictable(asked: _Asked, found: list[Resident]) -> None:
    service = asked.service.name
    if asked.environment.kind == "daemonset":
        raise UserError("Pods of a {kind} are not evicted; {restart} rolls them.", kind=asked.environment.kind,
                        restart=Code(f"restart {service}"))  # fmt: skip
    if not found:
        raise UserError("{service} has no pod in {environment}.", service=service, environment=asked.environment.name)
    if len(found) > MOST:
        raise UserError("At most {most} pods are evicted one after the other; {restart} rolls them.", most=MOST,
                        restart=Code(f"restart {service}"))  # fmt: skip


def _evicted(asked: _Asked, found: list[Resident]) -> Iterable[Phrase]:
    yield from _ready(asked)
    if asked.rollout.desired == 1:
        yield phrase("It is the only pod: nobody serves until the new one is ready.")
    if any(each.scratch for each in found):
        yield phrase("What the pods keep in emptyDir is lost.")
    yield phrase("What its pods are made from stays as it is.")
