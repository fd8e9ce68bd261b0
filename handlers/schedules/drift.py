"""Drift: every minute, whether each environment still runs what git or the last good deployment says; and who did it.

Where an operation of pult's own is under way nothing is judged, and what can't be read is unknown, never well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter

from bot.domain.alerts import WARNING
from bot.domain.changes import ClusterChange, Restarted, Rolled
from bot.domain.drift import MARK, Against, Drift, Likeness, Look, Place, drifted
from bot.domain.errors import TemporaryError, UserError
from bot.domain.manifests import image_digest, repository
from bot.domain.operations import Operation, State
from bot.domain.releases import Release, current
from bot.domain.services import NO_TOOL, Catalogue, Environment, Service
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Workload
from bot.ports.forge import Forge
from bot.ports.gitops import Applied, GitOps
from bot.ports.guard import Guard
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting import own
from handlers.alerting.rules import Rules

EVERY = 60.0
WITHIN = 5.0
"""Seconds that one answer may take: nobody waits for it."""
FILE_FRESH = timedelta(minutes=10)
"""So long the digest in a file is believed while the tool says that its commit is the same: GitHub counts requests."""
LOOK_BACK = timedelta(hours=1)
"""How far back it is asked who changed it; servers keep events for an hour."""
AT_ONCE = 4
"""Environments that are asked at the same time."""
BUSY = frozenset({State.APPROVED, State.RUNNING, State.PAUSED})
LOOKED_AT = 50
TOLD = 5
"""Latest releases of a service of which one will have named its image."""


@dataclass(frozen=True)
class File:
    """The digest that stood in an environment's file at ``revision``, read at ``at``."""

    revision: str
    digest: str
    at: datetime


@dataclass(frozen=True)
class Record:
    """The digest of the last good deployment, None without one; the image's repository, empty where nobody told."""

    digest: str | None = None
    repository: str = ""

    def own(self, images: tuple[str, ...]) -> str:
        """The service's own image of all that its pods run: sidecars have no say, and may stand first."""
        return next((each for each in images if repository(each) == self.repository), next(iter(images), ""))


@dataclass(frozen=True)
class Found:
    """``drift`` is None where it is well, or where nothing is judged now (``busy``), or not known (``unknown``)."""

    service: Service
    environment: Environment
    running: str = ""
    drift: Drift | None = None
    by: str = ""
    busy: bool = False
    unknown: bool = False

    @property
    def key(self) -> str:
        return f"drift {self.service.name} {self.environment.name}"


class Watch:
    """Looks at every environment once a round; remembers what files said."""

    def __init__(  # noqa: PLR0913 - everything that has a say in what should run
        self,
        store: Store,
        clock: Clock,
        rules: Rules,
        *,
        services: Catalogue,
        cluster: Cluster,
        gitops: GitOps,
        forge: Forge | None,
        guard: Guard,
    ) -> None:
        self._store, self._clock, self._rules, self._services = store, clock, rules, services
        self._cluster, self._gitops, self._forge, self._guard = cluster, gitops, forge, guard
        self._files: dict[tuple[str, str], File] = {}

    async def round(self) -> None:
        """Ask everything, then write what came of it in one transaction."""
        places = [(service, environment) for service in self._services for environment in service.environments]
        recorded, busy = await self._store.read(lambda tx: (_recorded(tx, places), _busy(tx)))
        room = asyncio.Semaphore(AT_ONCE)

        async def one(service: Service, environment: Environment) -> Found:
            if (service.name, environment.name) in busy:
                return Found(service, environment, busy=True)
            async with room:
                return await self._look(service, environment, recorded[service.name, environment.name])

        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(one(*place)) for place in places]
        found = [task.result() for task in asked]
        now = self._clock.now()
        await self._store.write(lambda tx: _write(tx, self._rules, found, now))

    async def _look(self, service: Service, environment: Environment, recorded: Record) -> Found:
        found = Found(service, environment)
        place = Workload.of(environment)
        try:
            rollout = await self._guard.ask(environment.cluster, lambda: self._cluster.rollout(place), WITHIN)
            seen = await self._seen(service, environment, recorded.own(rollout.images), recorded.digest)
        except (TemporaryError, UserError):
            return replace(found, unknown=True)
        found = replace(found, running=seen.running, drift=drifted(seen))
        return replace(found, by=await self._who(environment)) if found.drift else found

    async def _seen(self, service: Service, environment: Environment, image: str, recorded: str | None) -> Place:
        running = image.partition("@")[2]
        if environment.gitops.tool == NO_TOOL:
            return Place(running, recorded=recorded)
        tool = f"{environment.gitops.tool} in {environment.cluster}"
        applied = await self._guard.ask(tool, lambda: self._gitops.state(environment), WITHIN)
        committed = await self._committed(service, environment, image, applied)
        healing = applied.automated and not applied.suspended and applied.stuck is None
        said = applied.drift.plain() if applied.drift else None
        return Place(running, committed, said=said, healing=healing)

    async def _committed(self, service: Service, environment: Environment, image: str, applied: Applied) -> str | None:
        """The digest in git; None where nothing is configured to tell it."""
        gitops, key, now = environment.gitops, (service.name, environment.name), self._clock.now()
        forge = self._forge
        if forge is None or not gitops.path:
            return None
        known = self._files.get(key)
        if known and known.revision == applied.wanted and now - known.at < FILE_FRESH:
            return known.digest
        file = await self._guard.ask("github", lambda: forge.read(gitops.repo, gitops.path, gitops.branch), WITHIN)
        digest = await asyncio.to_thread(image_digest, file.text, repository(image), gitops.key)
        self._files[key] = File(applied.wanted, digest, now)
        return digest

    async def _who(self, environment: Environment) -> str:
        """Who changed the workload last, as far as its cluster tells."""
        since = self._clock.now() - LOOK_BACK
        try:
            facts = await self._guard.ask(
                environment.cluster, lambda: self._cluster.changes(environment, since), WITHIN
            )  # fmt: skip
        except (TemporaryError, UserError):
            return ""
        return _author(facts)


def duty(watch: Watch) -> Periodic:
    """A round each minute."""
    return Periodic("drift", EVERY, watch.round)


def _author(facts: tuple[ClusterChange, ...]) -> str:
    """The client behind the latest change by hand; empty where no server noted one."""
    rolled = [(fact.at, fact.by) for fact in facts if isinstance(fact, Rolled)]
    restarted = [(fact.at, fact.by) for fact in facts if isinstance(fact, Restarted) and not fact.operation]
    _, by = max(((at, by) for at, by in (*rolled, *restarted) if by), key=itemgetter(0), default=(None, ""))
    return by


def _recorded(tx: Tx, places: list[tuple[Service, Environment]]) -> Mapping[tuple[str, str], Record]:
    """What is known of each place."""
    found = {}
    for service, environment in places:
        row = current(tx.deployments(service.name, environment.name, LOOKED_AT))
        told = (repository(release.image) for release in tx.releases(service.name, TOLD) if release.image)
        found[service.name, environment.name] = Record((row and row.digest) or None, next(told, ""))
    return found


def _busy(tx: Tx) -> frozenset[tuple[str, str]]:
    """Where an operation of pult's own is under way, or about to begin."""
    live = [operation for operation in tx.live_operations() if operation.state in BUSY]
    return frozenset(place for operation in live for place in _places(operation))


def _places(operation: Operation) -> list[tuple[str, str]]:
    plan = operation.plan
    names = {plan.environment, *(target.environment.name for target in plan.targets)}
    return [(plan.service, name) for name in names if name]


def _write(tx: Tx, rules: Rules, found: list[Found], now: datetime) -> None:
    """Alerts as they should stand, and how each place was seen."""
    mark = tx.mark(MARK)
    before: Mapping[str, Look] = mark[1] if mark else {}
    after = {each.key: _sight(each, before.get(each.key), now) for each in found}
    for each in found:
        sight = after[each.key]
        if sight.state is Likeness.WELL and not each.busy:
            own.over(tx, rules, each.key, now)
        elif each.drift and now.timestamp() - sight.since >= each.drift.patience.total_seconds():
            own.tells(tx, rules, each.key, _labels(tx, each, each.drift), now)
    tx.put_mark(MARK, (now, after))


def _sight(found: Found, before: Look | None, now: datetime) -> Look:
    """A place that is not judged now, or does not answer, tells nothing new: what differed there still does."""
    if found.busy:
        return Look(Likeness.WELL) if before is None else before
    differed = before.since if before else 0.0
    if found.unknown:
        return Look(Likeness.UNKNOWN, differed)
    if found.drift is None:
        return Look(Likeness.WELL)
    return Look(Likeness.DIFFERS, differed or now.timestamp())


def _labels(tx: Tx, found: Found, drift: Drift) -> Mapping[str, str]:
    versions = {release.digest: release for release in tx.releases(found.service.name, LOOKED_AT) if release.digest}
    environment = found.environment
    wanted = drift.wanted if drift.against is Against.TOOL else _called(drift.wanted, versions)
    return {
        "alertname": own.DRIFT, "severity": WARNING, "service": found.service.name, "environment": environment.name,
        "cluster": environment.cluster, "against": str(drift.against), "tool": environment.gitops.tool,
        "runs": _called(found.running, versions), "wanted": wanted, "by": found.by,
    }  # fmt: skip


def _called(digest: str, versions: Mapping[str, Release]) -> str:
    """The version, else the digest, shortened."""
    return versions[digest].version if digest in versions else digest[:19] or "–"
