"""The card of a release: one per version, edited as it moves from built to released."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.messages import Aside, Block, Button, Facts, Message, Preformatted, Style, Table, Tone
from bot.domain.phrases import Code, Link, Phrase, phrase, verbatim
from bot.domain.releases import Release
from bot.ports.presenters import Presenter

STAGE_WORDS = {
    "built": phrase("built"),
    "scanned": phrase("scanned"),
    "tested": phrase("tested"),
    "staging": phrase("in staging"),
    "ready": phrase("ready for production"),
    "released": phrase("released"),
    "failed": phrase("failed"),
}
TONES = {"ready": Tone.OK, "released": Tone.OK, "failed": Tone.CRITICAL}
NOTES_SHOWN = 1500


def presenter() -> Presenter:
    """Release cards; the subject's id is ``service/version``."""
    return Presenter(lambda tx, ident: tx.release(*ident.split("/", 1)), draw)


def draw(release: Release) -> Message:
    """The whole card."""
    title = phrase(
        "{service} {version}: {stage}",
        service=release.service, version=release.version, stage=STAGE_WORDS[release.stage],
    )  # fmt: skip
    return Message(
        title, TONES.get(release.stage, Tone.INFO), tuple(_blocks(release)), _buttons(release), release.notes
    )


def _blocks(release: Release) -> Iterable[Block]:
    yield Facts(tuple(_facts(release)))
    if release.evidence:
        rows = tuple((verbatim(name), verbatim(said)) for name, said in sorted(release.evidence.items()))
        yield Table((phrase("Evidence"), phrase("Says")), rows)
    if release.notes:
        yield Preformatted(release.notes[:NOTES_SHOWN])
    if release.url.startswith(("https://", "http://")):
        yield Aside(phrase("{link}", link=Link(phrase("Release notes"), release.url)))


def _facts(release: Release) -> Iterable[tuple[Phrase, Phrase]]:
    if release.environment:
        yield phrase("Where"), verbatim(release.environment)
    if release.commit:
        yield phrase("Commit"), phrase("{sha}", sha=Code(release.commit[:12]))
    if release.digest:
        yield phrase("Image"), phrase("{digest}", digest=Code(release.digest[:19]))
    if release.prerelease:
        yield phrase("Kind"), phrase("pre-release, not for production")
    yield phrase("Told"), phrase("{at}", at=release.at)


def _buttons(release: Release) -> tuple[Button, ...]:
    command = f"promote {release.service} {release.version}"
    if release.stage == "failed" or not release.digest or not command.isascii() or len(command) > 64:
        return ()
    return (Button(phrase("Promote"), command, style=Style.PRIMARY),)
