"""``releases [service]``: the versions pult has heard of, and what runs in each environment."""

from __future__ import annotations

from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Button, Facts, Style, Table
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.releases import Release
from bot.domain.services import Catalogue, Service
from bot.ports.cluster import Cluster
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store
from handlers.cards.release import STAGE_WORDS
from handlers.commands.replies import said, workload

SHOWN = 12


def duty(store: Store, cluster: Cluster, services: Catalogue) -> Command:
    """From the release webhooks, and for one service from its clusters."""

    async def run(call: Call) -> Reply:
        service = services.named(call.args[0]) if call.args else None
        known = await store.read(lambda tx: tx.releases(service.name if service else "", SHOWN))
        header = (phrase("Version"), phrase("Stage"), phrase("Digest"), phrase("Told"))
        table = (Table(header, tuple(_row(release) for release in known)),) if known else ()
        running = (Facts(await _running(cluster, service, known)),) if service else ()
        if not table and not running:
            return said(phrase("No release has been reported yet"))
        title = phrase("Releases of {service}", service=service.name) if service else phrase("Latest releases")
        return said(title, *running, *table, buttons=_buttons(known, service))

    example = services.names[0] if services.names else "api"
    return Command(
        ("releases", "релизы"),
        "releases [service]",
        phrase("versions, and where they run"),
        run,
        examples=(f"releases {example}",),
    )


async def _running(cluster: Cluster, service: Service, known: tuple[Release, ...]) -> tuple[tuple[Phrase, Phrase], ...]:
    versions = {release.digest: release.version for release in known if release.digest}
    found = []
    for environment in service.environments:
        try:
            image = (await cluster.rollout(workload(environment))).images[0]
            digest = image.rpartition("@")[2]
            said_ = verbatim(versions[digest]) if digest in versions else phrase("{digest}", digest=Code(digest[:19]))
        except (TemporaryError, UserError, IndexError):
            said_ = phrase("unknown")
        found.append((verbatim(environment.name), said_))
    return tuple(found)


def _row(release: Release) -> tuple[Phrase, ...]:
    return (
        verbatim(f"{release.service} {release.version}"),
        STAGE_WORDS[release.stage],
        phrase("{digest}", digest=Code(release.digest[7:19] or "–")),
        phrase("{at}", at=release.at),
    )


def _buttons(known: tuple[Release, ...], service: Service | None) -> tuple[Button, ...]:
    best = next((release for release in known if release.digest and release.stage != "failed"), None)
    if service is None or best is None:
        return ()
    command = f"promote {best.service} {best.version}"
    label = phrase("Promote {version}", version=best.version)
    return (Button(label, command, style=Style.PRIMARY),) if len(command) <= 64 and command.isascii() else ()
