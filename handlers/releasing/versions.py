"""What is told of a version: its state grows, its card follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.cards import Place, Wish, subject
from bot.domain.releases import Ran, Release, merge, names_commit, with_runs
from bot.domain.services import Catalogue
from bot.ports.store import Tx
from handlers.alerting.rules import Rules
from handlers.operating import voiding
from handlers.releasing import places

RECENT = 50
"""Releases of a service among which one is looked for."""
RUNS_KEPT = 60
"""Workflow runs of a service that are remembered, until a release of their commit is told of."""


def told(tx: Tx, rules: Rules, services: Catalogue, release: Release, now: datetime) -> bool:
    """Words that say nothing new change nothing, in whichever order they come."""
    voiding.reported(tx, release, now)
    known = tx.release(release.service, release.version)
    merged = merge(known, release)
    merged = replace(merged, runs=with_runs(merged.runs, _runs_of(tx, merged)))
    voiding.doubted(tx, merged, now)
    if known and replace(merged, at=known.at, times=known.times) == known:
        tx.save_release(merged)
        return False
    tx.save_release(merged)
    for destination in rules.routes[-1].to:
        tx.show(Wish(subject("release", merged.id), Place(destination)), now)
    places.again(tx, services, merged, now)
    return True


def ran(tx: Tx, service: str, run: Ran, now: datetime) -> bool:
    """A run is kept for the release that its commit may become, and is evidence of those that it is already."""
    kept = [each for each in tx.mark(_mark(service)) or () if (each.workflow, each.sha) != (run.workflow, run.sha)]
    before = [each for each in tx.mark(_mark(service)) or () if each not in kept]
    if any(each.order >= run.order for each in before):
        return False
    tx.put_mark(_mark(service), (*kept, run)[-RUNS_KEPT:])
    news = False
    for release in tx.releases(service, RECENT):
        runs = with_runs(release.runs, (run,))
        if _of(release, run) and runs != release.runs:
            tx.save_release(replace(release, runs=runs))
            tx.bump(subject("release", release.id), now)
            news = True
    return news


def _runs_of(tx: Tx, release: Release) -> tuple[Ran, ...]:
    return tuple(run for run in tx.mark(_mark(release.service)) or () if _of(release, run))


def _of(release: Release, run: Ran) -> bool:
    return names_commit(release.commit, run.sha)


def _mark(service: str) -> str:
    return f"runs:{service}"
