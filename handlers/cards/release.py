"""The card of a release: one per version, edited from its first tag until another version has taken its place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from bot.domain.commandline import plain
from bot.domain.evidence import result_words, scan_words, spoken
from bot.domain.messages import (
    Aside,
    Block,
    Button,
    Facts,
    Lines,
    Message,
    Paragraph,
    Style,
    Table,
    Tone,
)
from bot.domain.notes import plain_lines
from bot.domain.phrases import Code, Link, Phrase, Strong, in_line, phrase, verbatim
from bot.domain.releases import FAILED, PUBLISHED, TAGGED, Fate, Ran, Release
from bot.domain.services import Catalogue
from bot.domain.standing import Standing, Stay, promotable, standing
from bot.domain.texts import web
from bot.ports.presenters import Presenter
from handlers.cards.release_seen import Seen, load

STAGE_WORDS = {
    TAGGED: phrase("tagged"),
    PUBLISHED: phrase("published"),
    "built": phrase("built"),
    "scanned": phrase("scanned"),
    "tested": phrase("tested"),
    "staging": phrase("in staging"),
    "ready": phrase("ready for production"),
    "released": phrase("released"),
    FAILED: phrase("failed"),
}
STANDING_WORDS = {
    Standing.BAD: phrase("bad"),
    Standing.MOVING: phrase("on its way"),
    Standing.WAITING: phrase("waiting for approval"),
    Standing.LIVE: phrase("in production"),
    Standing.BACK: phrase("rolled back"),
    Standing.REPLACED: phrase("replaced"),
    Standing.STAGED: phrase("in staging"),
}
TONES = {
    Standing.BAD: Tone.CRITICAL,
    Standing.MOVING: Tone.WORKING,
    Standing.WAITING: Tone.WORKING,
    Standing.LIVE: Tone.OK,
    Standing.BACK: Tone.WARNING,
    Standing.FAILED: Tone.CRITICAL,
    Standing.REPLACED: Tone.MUTED,
    Standing.READY: Tone.OK,
}
RUN_WORDS = {
    "success": phrase("passed"),
    "failure": phrase("{word}", word=Strong(phrase("failed"))),
    "running": phrase("running"),
}
NAMES = {"tests": phrase("Tests"), "trivy": phrase("Trivy"), "e2e": phrase("End-to-end tests")}
"""In the order of the table; other evidence comes after, under its own name."""
SHOWN = 8
"""Lines of release notes."""
ROWS = 12
"""Rows of evidence."""


Enrich = Callable[[Seen, Message], Awaitable[Message]]


def presenter(services: Catalogue, enrich: Enrich | None = None) -> Presenter:
    """Release cards; the subject's id is ``service/version``."""
    return Presenter(lambda tx, ident: load(tx, services, ident), draw, enrich)


def draw(seen: Seen) -> Message:
    """The whole card."""
    release = seen.release
    where, stays = standing(release, seen.stays)
    title = phrase("{service} {version}: {stage}", service=release.service, version=release.version, stage=stands(seen))
    tone = TONES.get(where, Tone.INFO)
    if where is Standing.BAD and not any(stay.production for stay in stays):
        tone = Tone.WARNING
    if release.disputed and tone is not Tone.CRITICAL:
        tone = Tone.WARNING
    return Message(title, tone, tuple(_blocks(seen)), _buttons(seen, where), release.notes)


def evidence_rows(release: Release) -> tuple[tuple[Phrase, Phrase], ...]:
    """What each check found, in the reader's words where pult could reckon with it: for every card that shows it."""
    rows = [(name, _said(release, key)) for key, name in NAMES.items() if key in release.evidence]
    rows += [(verbatim(key), _said(release, key)) for key in sorted(release.evidence) if key not in NAMES]
    rows += [(verbatim(run.workflow), _ran(run)) for run in release.runs]
    return tuple(rows)


def stands(seen: Seen) -> Phrase:
    """In words. Environments are named where they are not all there is to name."""
    where, stays = standing(seen.release, seen.stays)
    word = STANDING_WORDS.get(where, STAGE_WORDS[seen.release.stage])
    if where is Standing.REPLACED:
        return phrase("replaced by {version}", version=stays[-1].replaced_by)
    named = ", ".join(stay.deployment.environment for stay in stays)
    if where in {Standing.LIVE, Standing.STAGED} and named not in {"production", "staging"}:
        return phrase("in {environments}", environments=named)
    if where in {Standing.BAD, Standing.MOVING, Standing.WAITING, Standing.BACK}:
        return phrase("{state} ({environments})", state=word, environments=named)
    return word


def _blocks(seen: Seen) -> Iterable[Block]:
    release = seen.release
    yield from _disputes(release)
    yield Facts(tuple(_facts(seen)))
    rows = evidence_rows(release)
    if rows:
        yield Table((phrase("Evidence"), phrase("Says")), rows[:ROWS])
    lines = plain_lines(release.notes)
    if lines:
        yield Lines(tuple(map(verbatim, lines[:SHOWN])), len(lines) - len(lines[:SHOWN]))
    if links := tuple(_links(release)):
        yield Aside(in_line(links, " · "))


def _disputes(release: Release) -> Iterable[Block]:
    if release.conflict:
        yield Paragraph(
            phrase(
                "Two digests were reported for this version: {first}, then {other}. Nobody can tell which one was "
                "tested, so neither is promoted. Release a new version.",
                first=Code(release.digest[:19]), other=Code(release.conflict[:19]),
            )
        )  # fmt: skip
    if release.moved:
        yield Paragraph(
            phrase(
                "The tag of this version was moved to {commit}. Nobody can tell which commit was tested, so it is not "
                "promoted. Release a new version.",
                commit=Code(release.moved[:12]),
            )
        )


def _facts(seen: Seen) -> Iterable[tuple[Phrase, Phrase]]:
    release = seen.release
    for stay in seen.stays:
        yield verbatim(stay.deployment.environment), _stayed(stay)
    if release.environment and not seen.stays:
        yield phrase("Where"), verbatim(release.environment)
    for gate in seen.gates:
        yield phrase("Pipeline"), phrase("waits for a word before {environment}", environment=gate.environment)
    if release.commit:
        yield phrase("Commit"), phrase("{sha}", sha=Code(release.commit[:12]))
    if release.digest:
        yield phrase("Image"), phrase("{digest}", digest=Code(release.digest[:19]))
    if release.migrations:
        yield phrase("Data"), phrase("this version changes data")
    if release.prerelease:
        yield phrase("Kind"), phrase("pre-release, not for production")
    yield phrase("Reported"), phrase("{at}", at=release.at)


def _stayed(stay: Stay) -> Phrase:
    said, told = _fate(stay), stay.deployment
    if not told.operation:
        return said
    operation = Code(told.operation)
    if not stay.approved:
        return phrase("{state} · {operation}", state=said, operation=operation)
    names = ", ".join(stay.approved)
    return phrase("{state} · {operation}, approved by {names}", state=said, operation=operation, names=names)


def _fate(stay: Stay) -> Phrase:
    told = stay.deployment
    if stay.until:
        return phrase("until {at}, then {version}", at=stay.until, version=stay.replaced_by)
    match told.fate:
        case Fate.GOOD:
            return phrase("since {at}", at=told.since or told.at)
        case Fate.RUNNING:
            return phrase("on its way since {at}", at=told.at)
        case Fate.WAITING:
            return phrase("waiting for approval since {at}", at=told.at)
        case Fate.BAD:
            return phrase("bad since {at}", at=told.at)
        case Fate.BACK:
            return phrase("rolled back {at}", at=told.at)
        case Fate.ENDED:
            return phrase("it never got there")


def _said(release: Release, key: str) -> Phrase:
    if key == "trivy" and release.scan and release.scan.fixable is not None:
        return scan_words(release.scan)
    result = release.results.get(key)
    if result is None:
        return spoken(release.evidence[key])
    said = result_words(result)
    return phrase("{word}", word=Strong(said)) if result.good is False else said


def _ran(run: Ran) -> Phrase:
    word = RUN_WORDS.get(run.state, verbatim(run.state))
    said = phrase("{state}", state=Link(word, run.url)) if run.url else word
    return phrase("{state}, attempt {n}", state=said, n=run.attempt) if run.attempt > 1 else said


def _links(release: Release) -> Iterable[Link]:
    for url, name in ((release.page, phrase("Release notes")), (release.url, phrase("Pipeline"))):
        if web(url):
            yield Link(name, url)


def _buttons(seen: Seen, where: Standing) -> tuple[Button, ...]:
    """Only what a button can carry whole, and nothing that outside text could make another command of."""
    service, version = seen.release.service, seen.release.version
    if not (seen.known and plain(service, version)):
        return ()
    found = []
    if where is Standing.BAD:
        found.append(_back(seen))
    if promotable(seen.release, seen.stays, before=seen.before):
        found.append(Button(phrase("Promote"), f"promote {service} {version}", style=Style.PRIMARY))
    if where is not Standing.REPLACED:
        found.append(Button(phrase("Diff"), f"diff {service}"))
    return (*found, Button(phrase("Releases"), f"releases {service}"))


def _back(seen: Seen) -> Button:
    """What takes a bad version back: a promotion that is not over does it itself, and a rollback would wait for it."""
    mine = [stay.deployment.operation for stay in standing(seen.release, seen.stays)[1] if stay.open]
    if mine:
        return Button(phrase("Undo"), f"resume {mine[-1]} undo", style=Style.DANGER)
    return Button(phrase("Roll back"), f"rollback {seen.release.service}", style=Style.DANGER)
