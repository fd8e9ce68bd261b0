"""Where versions went: what other hands did is heard of, and everybody who looks at a release sees where it is."""

from __future__ import annotations

from datetime import datetime

from bot.domain.cards import Priority, replies, subject
from bot.domain.releases import Deployment, Fate, Release, current, heard_of
from bot.domain.services import Catalogue
from bot.domain.sightings import Sighting
from bot.ports.store import Tx
from handlers.cards import release_news
from handlers.operating import voiding

RECENT = 50
"""Releases and deployments of a service that are looked through."""
OVER = frozenset({Fate.BACK, Fate.ENDED})


def seen(tx: Tx, services: Catalogue, sighting: Sighting, now: datetime) -> bool:
    """One tool's word on one environment. It is kept: the release it is of may be told of only later."""
    last: Sighting | None = tx.mark(sighting.name)
    if last is None or last.at <= sighting.at:
        tx.put_mark(sighting.name, sighting)
    return _placed(tx, services, sighting, now)


def again(tx: Tx, services: Catalogue, release: Release, now: datetime) -> None:
    """Whether what was last seen of an environment is *release*, now that more is known of it."""
    service = services.find(release.service)
    for environment in service.environments if service else ():
        sighting: Sighting | None = tx.mark(Sighting(release.service, environment.name, Fate.GOOD, now).name)
        if sighting and release in sighting.matches((release,)):
            _placed(tx, services, sighting, now)


def moved(tx: Tx, services: Catalogue, deployment: Deployment, now: datetime) -> None:
    """Save *deployment* and show it. Plans that were made on what ran there before are void."""
    tx.save_deployment(deployment)
    if deployment.fate is Fate.GOOD:
        voiding.deployed(tx, deployment, now)
    shown(tx, services, deployment, now)


def shown(tx: Tx, services: Catalogue, deployment: Deployment, now: datetime) -> None:
    """The cards of its release and of the one it took the place of follow what became of a saved *deployment*; some
    of that is worth a notification."""
    above = subject("release", f"{deployment.service}/{deployment.version}")
    tx.bump(above, now)
    if deployment.fate is Fate.GOOD:
        rows = tx.deployments(deployment.service, deployment.environment, RECENT)
        if before := current(row for row in rows if row.version != deployment.version):
            tx.bump(subject("release", f"{before.service}/{before.version}"), now)
        for group in tx.open_groups():  # a new version may be what they suspect
            if group.service == deployment.service:
                tx.bump(subject("alert", group.id), now)
    service = services.find(deployment.service)
    production = {each.name for each in service.production} if service else set()
    message = release_news.draw(deployment, production=deployment.environment in production)
    if message is None:
        return
    at = int(deployment.at.timestamp())
    note = subject(
        "notice", f"{deployment.service}/{deployment.version}/{deployment.environment}/{deployment.fate}/{at}"
    )
    tx.put_message(note, message)
    for wish in replies(tx.cards_of(above), note, Priority.NORMAL):
        tx.show(wish, now)


def _placed(tx: Tx, services: Catalogue, sighting: Sighting, now: datetime) -> bool:
    rows = tx.deployments(sighting.service, sighting.environment, RECENT)
    if any(row.operation and row.commit and row.commit in sighting.commits for row in rows):
        return False  # pult's own commit: its operation knows better what became of it
    there = current(rows)
    release = _which(sighting.matches(tx.releases(sighting.service, RECENT)), there)
    if release is None:
        return False
    mine = [row for row in rows if row.version == release.version]
    if any(row.operation and (row.fate not in OVER or row.at > sighting.at) for row in mine):
        return False
    known = next((row for row in mine if not row.operation), None)
    told = heard_of(known, _deployment(release, sighting), there)
    if told is None:
        return False
    if told.fate is Fate.GOOD and there and there.version != told.version and _returns(known, there):
        moved(tx, services, _taken_back(there, told), now)
    moved(tx, services, told, now)
    return True


def _which(found: tuple[Release, ...], there: Deployment | None) -> Release | None:
    """While pods are replaced both versions are seen: the one that was not there before is the news."""
    if len(found) > 1 and there:
        found = tuple(each for each in found if each.version != there.version)
    return found[0] if len(found) == 1 else None


def _deployment(release: Release, sighting: Sighting) -> Deployment:
    return Deployment(
        service=release.service,
        environment=sighting.environment,
        version=release.version,
        digest=release.digest,
        fate=sighting.fate,
        at=sighting.at,
        commit=sighting.commits[0] if sighting.commits else "",
        since=sighting.at if sighting.fate is Fate.GOOD else None,
    )


def _returns(known: Deployment | None, there: Deployment) -> bool:
    """Whether a version comes back that ran before what is there now."""
    return bool(known and known.since and there.since and known.since < there.since)


def _taken_back(there: Deployment, told: Deployment) -> Deployment:
    return Deployment(
        there.service, there.environment, there.version, there.digest, Fate.BACK, told.at, there.operation,
        there.commit, there.since,
    )  # fmt: skip
