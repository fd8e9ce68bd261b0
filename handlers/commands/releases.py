"""``releases [service] [version]``: the versions pult has heard of, what runs where since when, one version's trail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.commandline import plain
from bot.domain.messages import Button, Style, Table, pressable
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.releases import Release
from bot.domain.services import Catalogue, Environment, Service
from bot.domain.standing import promotable
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Tx
from handlers.cards.release import stands
from handlers.cards.release_seen import Seen, load
from handlers.commands import releases_trail
from handlers.commands.evidence_case import Sources
from handlers.commands.promote_targets import SHORT, found
from handlers.commands.releases_known import by_digest, deployed, newest
from handlers.commands.replies import said

SHOWN = 12


@dataclass(frozen=True)
class Runs:
    """What one environment runs. ``digest`` is empty where it does not tell; ``since``: None where nobody knows."""

    environment: Environment
    digest: str
    version: str
    since: datetime | None
    release: Release | None = None

    @property
    def called(self) -> Phrase:
        """The version, else the digest."""
        if self.version:
            return verbatim(self.version)
        return phrase("{digest}", digest=Code(self.digest[:SHORT])) if self.digest else phrase("unknown")


def duty(sources: Sources) -> Command:
    """From the release webhooks and pult's own deployments, and for one service from its clusters."""

    async def run(call: Call) -> Reply:
        service = sources.services.named(call.args[0]) if call.args else None
        if service and len(call.args) > 1:
            return await releases_trail.answer(sources.store, service.name, call.args[1].removeprefix("v"))
        seen = await sources.store.read(lambda tx: _seen(tx, sources.services, service.name if service else ""))
        running = await runs(sources, service) if service else ()
        known = tuple(each.release for each in seen)
        if not known and not running:
            return said(phrase("No release has been reported yet"))
        tables = (*((_where(running),) if running else ()), *((_versions(seen, running),) if seen else ()))
        title = phrase("Releases of {service}", service=service.name) if service else phrase("Latest releases")
        return said(title, *tables, buttons=tuple(_buttons(seen, running, service)))

    example = sources.services.example
    return Command(
        ("releases", "релизы"), "releases [service] [version]",
        phrase("versions, where they run, and the trail of one"), run,
        examples=(f"releases {example}", f"releases {example} 1.8.0"),
    )  # fmt: skip


def _seen(tx: Tx, services: Catalogue, service: str) -> tuple[Seen, ...]:
    found = (load(tx, services, release.id) for release in tx.releases(service, SHOWN))
    return tuple(filter(None, found))


async def runs(sources: Sources, service: Service) -> tuple[Runs, ...]:
    """What runs in each environment of *service*, all asked at once."""
    async with asyncio.TaskGroup() as tasks:
        asked = {each: tasks.create_task(_image(sources, each)) for each in service.environments}
    images = {environment: task.result() for environment, task in asked.items()}

    def read(tx: Tx) -> tuple[Runs, ...]:
        return tuple(_told(tx, service, environment, image) for environment, image in images.items())

    return await sources.store.read(read)


async def _image(sources: Sources, environment: Environment) -> str:
    stop = await sources.tried(environment.cluster, lambda: found(sources, environment))
    return stop.image if stop else ""


def _told(tx: Tx, service: Service, environment: Environment, image: str) -> Runs:
    digest = image.partition("@")[2]
    row = deployed(tx, service.name, environment.name, digest) if digest else None
    release = by_digest(tx, service.name, image)
    version = release.version if release else row.version if row else ""
    return Runs(environment, digest, version, row.since if row else None, release)


def _where(running: tuple[Runs, ...]) -> Table:
    header = (phrase("Where"), phrase("Runs"), phrase("Digest"), phrase("Since"))
    return Table(header, tuple(map(_place, running)))


def _place(place: Runs) -> tuple[Phrase, ...]:
    return (
        verbatim(place.environment.name),
        verbatim(place.version) if place.version else phrase("unknown"),
        phrase("{digest}", digest=Code(place.digest[7:SHORT] or "–")),
        phrase("{at}", at=place.since) if place.since else phrase("unknown"),
    )


def _versions(seen: tuple[Seen, ...], running: tuple[Runs, ...]) -> Table:
    """Where each runs only where that was asked."""
    places: Mapping[str, list[str]] = defaultdict(list)
    for place in running:
        if place.digest:
            places[place.digest].append(place.environment.name)
    header = (phrase("Version"), phrase("Stage"), phrase("Digest"), phrase("Reported"))
    rows = tuple((*_row(each), verbatim(", ".join(places[each.release.digest]) or "–")) for each in seen)
    if not running:
        return Table(header, tuple(row[:-1] for row in rows))
    return Table((*header, phrase("Where")), rows)


def _row(seen: Seen) -> tuple[Phrase, ...]:
    release = seen.release
    return (
        verbatim(f"{release.service} {release.version}"),
        stands(seen),
        phrase("{digest}", digest=Code(release.digest[7:SHORT] or "–")),
        phrase("{at}", at=release.at),
    )


def _buttons(seen: tuple[Seen, ...], running: tuple[Runs, ...], service: Service | None) -> Iterable[Button]:
    """The newest version, unless it is where it would go, on its way there, or was taken back."""
    if service is None:
        return
    there = {place.digest for place in running if place.environment == service.last}
    able = [each for each in seen if promotable(each.release, each.stays, before=each.before)]
    best = newest(each.release for each in able if each.release.digest not in there)
    command = f"promote {best.service} {best.version}" if best else ""
    if best and pressable(command) and plain(best.service, best.version):
        yield Button(phrase("Promote {version}", version=best.version), command, style=Style.PRIMARY)
        yield Button(phrase("Diff"), f"diff {best.service}")
