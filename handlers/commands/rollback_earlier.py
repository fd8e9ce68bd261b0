"""The version to go back to: the one that was named, else the last that ran well, else what the workload ran before."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.manifests import repository
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Service
from bot.ports.cluster import Workload
from bot.ports.rollouts import Revision
from bot.ports.store import Tx
from handlers.commands.evidence_case import Sources
from handlers.commands.promote_resolve import resolve
from handlers.commands.promote_targets import SHORT, Stop
from handlers.commands.releases_known import by_digest

LOOKED_AT = 100
"""Latest deployments to one environment that are looked at."""


@dataclass(frozen=True)
class Earlier:
    """``version`` is empty where nobody told it. ``revision``: of the workload's history; ``stable``: of a rollout."""

    version: str
    digest: str
    why: Phrase
    revision: str = ""
    stable: bool = False

    @property
    def called(self) -> str:
        """As people name it: the version, else the digest."""
        return self.version or self.digest[:SHORT]


async def earlier(sources: Sources, service: Service, stop: Stop, version: str) -> Earlier:
    """Where *stop* goes back to. UserError: nobody knows."""
    if version:
        return await _named(sources, service, stop, version)
    known = await _revisions(sources, stop)
    revisions = known or ()
    if (stable := _stable(stop, revisions)) is not None:
        return await _of(sources, service, stable, stop, phrase("it is the stable version of the rollout"))
    row = await sources.store.read(lambda tx: _good(tx, service, stop))
    if row is not None:
        why = phrase("it is the last that ran well here, from {at}", at=row.since or row.at)
        return Earlier(row.version, row.digest, why, _with(revisions, row.digest))
    for revision in revisions:
        if not revision.current and _digest(stop, revision) not in {"", stop.digest}:
            return await _of(sources, service, revision, stop, phrase("it ran here before, by the cluster's history"))
    example = Code(f"rollback {service.name} to 1.2.3 in {stop.environment.name}")
    if known is None:
        raise UserError(
            "{cluster} did not tell in time what ran there before. Ask again, or name a version: {example}",
            cluster=stop.environment.cluster, example=example,
        )  # fmt: skip
    raise UserError(
        "pult knows no earlier version of {service} in {environment}. Name one: {example}",
        service=service.name, environment=stop.environment.name, example=example,
    )  # fmt: skip


async def revision_of(sources: Sources, stop: Stop, digest: str) -> str:
    """The revision of the workload's history that has *digest*, empty when it keeps none."""
    return _with(await _revisions(sources, stop) or (), digest)


async def _named(sources: Sources, service: Service, stop: Stop, version: str) -> Earlier:
    """What ran once under that name is taken as it was: a rollback must not wait for a registry or for GitHub."""
    rows = await sources.store.read(lambda tx: tx.deployments_of(service.name, version))
    ran = next((row for row in rows if row.digest and row.since), None)
    if ran is not None:
        return Earlier(
            version, ran.digest, phrase("it was asked for; it ran in {environment}", environment=ran.environment)
        )
    release = await resolve(sources, service, version, repository(stop.image))
    return Earlier(version, release.digest, phrase("it was asked for; pult has not seen it run"))


async def _of(sources: Sources, service: Service, revision: Revision, stop: Stop, why: Phrase) -> Earlier:
    digest = _digest(stop, revision)
    release = await sources.store.read(lambda tx: by_digest(tx, service.name, f"@{digest}"))
    return Earlier(release.version if release else "", digest, why, revision.revision, revision.stable)


async def _revisions(sources: Sources, stop: Stop) -> tuple[Revision, ...] | None:
    """None where the cluster does not tell them."""
    place = Workload.of(stop.environment)
    return await sources.tried(place.cluster, lambda: sources.rollouts.revisions(place))


def _stable(stop: Stop, revisions: tuple[Revision, ...]) -> Revision | None:
    """The stable version, while another one is on its way in."""
    progressive = stop.rollout.progressive
    if progressive is None or not progressive.under_way:
        return None
    return next((each for each in revisions if each.stable and not each.current and _digest(stop, each)), None)


def _good(tx: Tx, service: Service, stop: Stop) -> Deployment | None:
    """The last that ran well there, of another digest than what runs."""
    rows = tx.deployments(service.name, stop.environment.name, LOOKED_AT)
    good = [row for row in rows if row.fate is Fate.GOOD and row.digest and row.digest != stop.digest]
    return max(good, key=lambda row: row.since or row.at, default=None)


def _with(revisions: tuple[Revision, ...], digest: str) -> str:
    found = (each.revision for each in revisions if any(image.endswith(f"@{digest}") for image in each.images))
    return next(found, "")


def _digest(stop: Stop, revision: Revision) -> str:
    """Of the service's own image in that revision; empty where it was named by a tag."""
    own = [image for image in revision.images if repository(image) == repository(stop.image)]
    return next((image.partition("@")[2] for image in own), "")
