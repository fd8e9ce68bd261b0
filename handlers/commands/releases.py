"""``releases [service] [version]``: the versions pult has heard of, what runs where since when, one version's trail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.commandline import plain
from bot.domain.messages import Button, Style, Table
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.releases import Release
from bot.domain.services import Environment, Service
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Tx
from handlers.cards.release import STAGE_WORDS
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
        known = await sources.store.read(lambda tx: tx.releases(service.name if service else "", SHOWN))
        running = await runs(sources, service) if service else ()
        if not known and not running:
            return said(phrase("No release has been reported yet"))
        tables = (*((_where(running),) if running else ()), *((_versions(known, running),) if known else ()))
        title = phrase("Releases of {service}", service=service.name) if service else phrase("Latest releases")
        return said(title, *tables, buttons=tuple(_buttons(known, service)))

    example = sources.services.names[0] if sources.services.names else "api"
    return Command(
        ("releases", "релизы"), "releases [service] [version]",
        phrase("versions, where they run, and the trail of one"), run,
        examples=(f"releases {example}", f"releases {example} 1.8.0"),
    )  # fmt: skip


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


def _versions(known: tuple[Release, ...], running: tuple[Runs, ...]) -> Table:
    """Where each runs only where that was asked."""
    places: Mapping[str, list[str]] = defaultdict(list)
    for place in running:
        if place.digest:
            places[place.digest].append(place.environment.name)
    header = (phrase("Version"), phrase("Stage"), phrase("Digest"), phrase("Told"))
    rows = tuple((*_row(release), verbatim(", ".join(places[release.digest]) or "–")) for release in known)
    if not running:
        return Table(header, tuple(row[:-1] for row in rows))
    return Table((*header, phrase("Where")), rows)


def _row(release: Release) -> tuple[Phrase, ...]:
    return (
        verbatim(f"{release.service} {release.version}"),
        STAGE_WORDS[release.stage],
        phrase("{digest}", digest=Code(release.digest[7:SHORT] or "–")),
        phrase("{at}", at=release.at),
    )


def _buttons(known: tuple[Release, ...], service: Service | None) -> Iterable[Button]:
    best = newest(known)
    if service is None or best is None:
        return
    command = f"promote {best.service} {best.version}"
    label = phrase("Promote {version}", version=best.version)
    if len(command) <= 64 and plain(best.service, best.version):
        yield Button(label, command, style=Style.PRIMARY)
        yield Button(phrase("Diff"), f"diff {best.service}")
