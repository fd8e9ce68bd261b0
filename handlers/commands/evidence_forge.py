"""What the forge says of a release: its checks, what it brings, whether it changes data."""

from __future__ import annotations

import asyncio
from collections import Counter
from fnmatch import fnmatch

from bot.domain.changelog import Changelog, changelog
from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Link, Phrase, counted, in_line, phrase, verbatim
from bot.domain.proofs import Mark, Proof
from bot.domain.releases import READY, Release
from bot.ports.forge import Comparison
from bot.ports.pipeline import Check
from handlers.commands.evidence_case import Case, Sources, unknown

GITHUB = "github"
MIGRATIONS = ("*/migrations/*", "migrations/*", "*/migrate/*", "migrate/*")
"""Paths of files that change data: Django, Alembic, Rails, golang-migrate and most others keep them so."""
NAMED = 3
CI, CHANGES, DATA = phrase("CI"), phrase("Changes"), phrase("Migrations")


async def told(sources: Sources, case: Case) -> tuple[tuple[Proof, ...], bool | None]:
    """Its rows, and whether the release changes data (None: not known)."""
    async with asyncio.TaskGroup() as tasks:
        checks = tasks.create_task(ci(sources, case))
        compare = tasks.create_task(compared(sources, case))
    found = compare.result()
    brought = () if found is None else (_brought(found),)
    return (*checks.result(), *brought, _data(case, found)), migrates(case, found)


async def ci(sources: Sources, case: Case) -> tuple[Proof, ...]:
    """The checks of the release's commit; nothing where no forge could know them."""
    pipeline, repo = sources.pipeline, case.service.repo
    if pipeline is None or not repo:
        return ()
    if not case.commit:
        return (unknown("ci", CI, phrase("unknown: nobody told the commit")),)
    try:
        checks = await sources.ask(GITHUB, lambda: pipeline.checks(repo, case.commit))
    except (TemporaryError, UserError):
        return (unknown("ci", CI, phrase("unknown: GitHub does not tell")),)
    return (_judged([check for check in checks if not _waits_for_us(check, case.release)]),)


def _waits_for_us(check: Check, release: Release) -> bool:
    """Whether it is a job of the run that called the release ready: what of that still runs waits for people here."""
    own = release.url.rstrip("/")
    return check.state == "pending" and release.stage == READY and bool(own) and check.url.startswith(f"{own}/")


def _judged(checks: list[Check]) -> Proof:
    failed = [check for check in checks if check.state == "failure"]
    pending = [check for check in checks if check.state == "pending"]
    if failed:
        return Proof("ci", CI, Mark.BAD, phrase("failed: {names}", names=_names(failed)))
    if pending:
        return unknown("ci", CI, phrase("still runs: {names}", names=_names(pending)))
    if not checks:
        return unknown("ci", CI, phrase("unknown: the commit has no checks"))
    return Proof("ci", CI, Mark.GOOD, counted("{n} check passed", "{n} checks passed", len(checks)))


def _names(checks: list[Check]) -> Phrase:
    """The first few by name, each a link where it has one."""
    names, more = in_line(Link(check.name, check.url) for check in checks[:NAMED]), len(checks) - NAMED
    return phrase("{names} and {n} more", names=names, n=more) if more > 0 else names


async def compared(sources: Sources, case: Case) -> Comparison | None:
    """From the commit that runs to the release's; None where that is not known."""
    forge, repo = sources.forge, case.service.repo
    base = case.running.commit if case.running else ""
    if forge is None or not (repo and base and case.commit):
        return None
    return await sources.tried(GITHUB, lambda: forge.compare(repo, base, case.commit))


def _brought(found: Comparison) -> Proof:
    if not found.commits and found.behind:
        said = counted("{n} commit older than what runs", "{n} commits older than what runs", found.behind)
    else:
        said = summary(changelog(found.commits), len(found.commits) + found.more)
    return Proof("changes", CHANGES, Mark.NOTE, said)


def summary(made: Changelog, total: int) -> Phrase:
    """How many of what, for one line."""
    counts = Counter(entry.group for entry in made.entries)
    parts = [counted("{n} commit", "{n} commits", total)]
    if breaking := counts["breaking"]:
        parts.append(counted("{n} breaking change", "{n} breaking changes", breaking))
    if features := counts["features"]:
        parts.append(counted("{n} feature", "{n} features", features))
    if fixes := counts["fixes"]:
        parts.append(counted("{n} fix", "{n} fixes", fixes))
    return in_line(parts)


def migrates(case: Case, found: Comparison | None) -> bool | None:
    """Whether the release changes data: as its pipeline told, else by the files that differ; None: not known.

    Of files that are not all told, and of commits that run and that it lacks, nobody knows.
    """
    if case.release.migrations is not None:
        return case.release.migrations
    if found is None:
        return None
    if moving(found):
        return True
    return None if found.more or found.behind or not found.whole else False


def _data(case: Case, found: Comparison | None) -> Proof:
    files = moving(found) if found else []
    match migrates(case, found):
        case None:
            return unknown("migrations", DATA)
        case False:
            return Proof("migrations", DATA, Mark.GOOD, phrase("none"))
        case True if files:
            more = phrase(" and {n} more", n=len(files) - 1) if len(files) > 1 else verbatim("")
            said = phrase("changes data: {file}{more}", file=files[0][-80:], more=more)
            return Proof("migrations", DATA, Mark.NOTE, said)
        case _:
            return Proof("migrations", DATA, Mark.NOTE, phrase("changes data, says the pipeline"))


def moving(found: Comparison) -> list[str]:
    """The files that change data."""
    return [path for path in found.files if any(fnmatch(path, pattern) for pattern in MIGRATIONS)]
