"""The configured department as domain objects: people, routes, policy, services."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from hashlib import sha256

from bot.domain.costs import Prices
from bot.domain.failover import Move, Pair, Place, Room, Way, Witness
from bot.domain.freezes import Window
from bot.domain.hours import DAYS, Daily
from bot.domain.oncall import Ladder, Quiet, Rotation
from bot.domain.people import Directory, Person
from bot.domain.policy import Policy
from bot.domain.routes import Matcher, Route
from bot.domain.services import Catalogue, Environment, GitOps, Probed, Service, Verification
from bot.domain.slo import Slo, latency_queries
from bot.domain.trouble import Limits, Trouble
from bot.domain.watched import Watch, places
from config.failover import FailoverSettings, MoveSettings
from config.people import PersonSettings, RouteSettings
from config.prices import prices
from config.rules import policy, window
from config.services import EnvironmentSettings, GitopsSettings, ServiceSettings, SloSettings, VerificationSettings
from config.settings import Settings
from config.watch import WatchSettings

STAGING = "staging"
"""How the names of the environments begin that a live drill moves."""


@dataclass(frozen=True)
class Department:
    """Who works here, where alerts go, who may do what, and what runs, what was promised."""

    people: Directory
    routes: tuple[Route, ...]
    policy: Policy
    freezes: tuple[Window, ...]
    services: Catalogue
    watch: Watch
    slos: tuple[Slo, ...]
    failover: Pair | None
    ladder: Ladder
    digest: Rotation | None
    slo_digest: Daily | None
    rotation: Rotation | None
    prices: Prices


def department(settings: Settings) -> Department:
    """*settings* in the words of the domain. They have passed the loader's checks."""
    return Department(
        people=Directory(_person(person, settings.chat.timezone) for person in settings.people),
        routes=tuple(map(_route, settings.routes)),
        policy=policy(settings.policy, settings.chat.timezone),
        freezes=tuple(window(freeze, settings.chat.timezone) for freeze in settings.freezes),
        services=(services := Catalogue(map(_service, settings.services))),
        watch=_watch(settings.watch, services),
        slos=tuple(map(_slo, settings.slos)),
        failover=_pair(settings.failover) if settings.failover else None,
        rotation=weekly(settings.oncall.rotation, settings.oncall.handover, settings.chat.timezone)
        if settings.oncall.rotation
        else None,
        ladder=Ladder(settings.oncall.escalate_after, settings.oncall.levels, settings.oncall.ack_expires),
        digest=weekly((settings.chat.digest,), settings.chat.digest, settings.chat.timezone)
        if settings.chat.digest
        else None,
        slo_digest=Daily(time.fromisoformat(settings.chat.slo_digest), settings.chat.timezone)
        if settings.chat.slo_digest
        else None,
        prices=prices(settings.prices),
    )


def weekly(people: tuple[str, ...], written: str, zone: str) -> Rotation:
    """*people* taking turns from the day and time *written* ("Mon 10:00") in *zone*."""
    day, _, clock = written.partition(" ")
    return Rotation(people, DAYS.index(day), time.fromisoformat(clock), zone)


def _person(person: PersonSettings, zone: str) -> Person:
    return Person(
        name=person.name,
        slack=person.slack,
        telegram="" if person.telegram is None else str(person.telegram),
        github=person.github,
        roles=person.roles,
        token_hash=sha256(person.token.get_secret_value().encode()).hexdigest() if person.token else "",
        locale=person.locale or "",
        zone=person.timezone or "",
        quiet=_quiet(person.quiet, person.timezone or zone) if person.quiet else None,
    )


def _quiet(hours: str, zone: str) -> Quiet:
    begins, _, ends = hours.partition("-")
    return Quiet(time.fromisoformat(begins), time.fromisoformat(ends), zone)


def _route(route: RouteSettings) -> Route:
    return Route(
        to=route.to,
        match=tuple(Matcher(label, pattern) for label, pattern in route.match.items()),
        page=route.page,
        goes_on=route.goes_on,
        locale=route.locale or "",
        zone=route.timezone or "",
    )


def _service(service: ServiceSettings) -> Service:
    kind, _, workload = (service.workload or f"deployment/{service.name}").partition("/")
    stops = service.environments or _production(service)
    return Service(
        name=service.name,
        namespace=service.namespace,
        kind=kind,
        workload=workload,
        clusters=service.clusters,
        environments=tuple(_environment(service, stop) for stop in stops),
        repo=service.repo or "",
        jobs=service.jobs,
    )


def _production(service: ServiceSettings) -> tuple[EnvironmentSettings, ...]:
    if service.gitops and service.gitops.path:  # one file, applied in every cluster
        return (EnvironmentSettings(name="production", cluster=service.clusters[0], namespace=service.namespace),)
    several = len(service.clusters) > 1
    return tuple(
        EnvironmentSettings(
            name=f"production-{cluster}" if several else "production", cluster=cluster, namespace=service.namespace
        )
        for cluster in service.clusters
    )


def _environment(service: ServiceSettings, stop: EnvironmentSettings) -> Environment:
    written = stop.workload or service.workload or f"deployment/{service.name}"
    kind, _, workload = written.partition("/")
    return Environment(
        name=stop.name,
        cluster=stop.cluster,
        namespace=stop.namespace,
        kind=kind,
        workload=workload,
        gitops=_gitops(service, stop.gitops or service.gitops),
        after=stop.after,
        gate=stop.gate,
        workflow=stop.workflow,
        verification=_verification(stop.verification or service.verification),
        on_ready=stop.on_ready,
    )


def _verification(given: VerificationSettings | None) -> Verification:
    if given is None:
        return Verification()
    probes = tuple(Probed(probe.url, probe.contains) for probe in given.probes)
    return Verification(given.bake, probes, given.burn, given.errors, given.on_bad)


def _gitops(service: ServiceSettings, gitops: GitopsSettings | None) -> GitOps:
    if gitops is None:
        return GitOps()
    return GitOps(
        tool=gitops.tool,
        application=gitops.application or service.name,
        repo=gitops.repo or service.repo or "",
        path=gitops.path,
        branch=gitops.branch,
        by=gitops.by,
        key=gitops.key,
    )


def _slo(slo: SloSettings) -> Slo:
    total, bad, quantile = slo.total, slo.bad, ""
    if slo.bucket and slo.threshold:
        measured, slow, quantile = latency_queries(slo.bucket, slo.threshold)
        total, bad = total or measured, bad or slow
    return Slo(
        service=slo.service,
        name=slo.name,
        kind=slo.kind,
        objective=round(slo.objective / 100, 10),
        window=slo.window,
        total=total,
        bad=bad,
        quantile=quantile,
        threshold=slo.threshold,
        min_requests=slo.min_requests,
        recording=slo.recording,
        regions=slo.regions,
        missed=slo.missed,
    )


def _limits(watch: WatchSettings) -> Limits:
    return Limits(watch.restarts, watch.within, watch.pending, watch.still, watch.expiring)


def _watch(watch: WatchSettings, services: Catalogue) -> Watch:
    """Where it is switched off nothing is looked at, and what fired before is let go."""
    severities = {trouble: getattr(watch.severities, trouble.name.lower()) for trouble in Trouble}
    return Watch(places(services) if watch.enabled else frozenset(), _limits(watch), severities)


def _pair(failover: FailoverSettings) -> Pair:
    witnesses = tuple(
        Witness(w.name, w.query, w.url or "", w.cluster, w.uptime, w.database) for w in failover.witnesses
    )
    drill = failover.drill
    return Pair(
        _move(failover), failover.rpo, witnesses, failover.rto, failover.hold, failover.fresh, failover.cooldown,
        failover.automatic, _staging(drill.staging) if drill.staging else None, drill.schedule or "", drill.answer,
    )  # fmt: skip


def _staging(move: MoveSettings) -> Move:
    """What a live drill moves is staging, where nobody names its environments."""
    found = _move(move)
    return replace(found, environment=found.environment or STAGING)


def _move(move: MoveSettings) -> Move:
    places = tuple(Place(c.region, c.namespace, c.secret, c.key, c.repo, c.file, c.branch) for c in move.connections)
    rooms = tuple(Room(room.service, room.replicas, room.pool, room.nodes) for room in move.capacity)
    return Move(Way(move.source, move.target), move.environment, places, rooms, tuple(move.probes))
