"""What pult knows itself of a release: what its pipeline told, how long it ran elsewhere, what is burning now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.alerts import CRITICAL, Group, Status
from bot.domain.evidence import Result, result_words, spoken
from bot.domain.freezes import Freeze
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.proofs import Mark, Proof, judged
from bot.domain.releases import Deployment, Fate
from bot.domain.slo import LOW
from bot.ports.cluster import Workload
from bot.ports.store import Tx
from handlers.cards import budget
from handlers.commands.evidence_case import Case, Sources, unknown
from handlers.commands.evidence_trivy import trivy

LOOKED_AT = 50
"""Latest deployments to one environment that are looked at."""
TOLD = {"tests": phrase("Tests"), "e2e": phrase("End-to-end tests")}
GOOD = {True: Mark.GOOD, False: Mark.BAD, None: Mark.UNKNOWN}
INCIDENTS, SOAK = phrase("Incidents"), phrase("Soak")


@dataclass(frozen=True)
class Known:
    """``freeze``: what freezes the service now. ``burning``: its open critical groups."""

    deployments: tuple[Deployment, ...]
    burning: tuple[Group, ...]
    freeze: Freeze | None


def known(tx: Tx, sources: Sources, case: Case) -> Known:
    """In one transaction."""
    before = tx.deployments(case.service.name, case.before.name, LOOKED_AT) if case.before else ()
    return Known(before, burning(tx, case.service.name), sources.frozen(tx, case.service.name, case.now))


def burning(tx: Tx, service: str) -> tuple[Group, ...]:
    """Critical alerts of *service* that fire now."""
    wanted = (service, CRITICAL, Status.FIRING)
    return tuple(group for group in tx.open_groups() if (group.service, group.severity, group.status) == wanted)


def told(case: Case) -> Iterable[Proof]:
    """The pipeline's own words; a row for what nobody told only where policy asks for it."""
    release = case.release
    for name, what in TOLD.items():
        result = release.results.get(name)
        if result is not None:
            yield Proof(name, what, GOOD[result.good], _words(result, release.evidence.get(name, "")))
        elif said := release.evidence.get(name, ""):
            yield Proof(name, what, judged(said), spoken(said))
        elif name in case.rule.require:
            yield unknown(name, what, phrase("unknown: no pipeline told"))
    yield from trivy(case)
    for name, said in sorted(release.evidence.items()):
        if name not in {*TOLD, "trivy"}:
            yield Proof(f"told {name}", verbatim(name), Mark.NOTE, verbatim(said))


def _words(result: Result, said: str) -> Phrase:
    """The counts where there are some; else what was said, in its own words."""
    if said and result.passed is None and result.failed is None:
        return spoken(said)
    return result_words(result)


def incidents(groups: tuple[Group, ...]) -> Proof:
    """The row of the service's critical alerts."""
    if not groups:
        return Proof("incident", INCIDENTS, Mark.GOOD, phrase("none"))
    said = phrase("{name} fires ({id})", name=groups[0].name, id=Code(groups[0].id))
    more = len(groups) - 1
    return Proof("incident", INCIDENTS, Mark.BAD, phrase("{said} and {n} more", said=said, n=more) if more else said)


async def soak(sources: Sources, case: Case, found: Known) -> tuple[Proof, ...]:
    """How long this very digest runs well in the environment before; nothing for the first one."""
    before, least = case.before, case.rule.soak
    if before is None:
        return ()
    rows = [row for row in found.deployments if row.digest == case.release.digest]
    good = next((row for row in rows if row.fate is Fate.GOOD and row.since), None)
    here = await _runs(sources, case)
    where = phrase("{environment}", environment=before.name)
    if here is None:
        return (unknown("soak", SOAK, phrase("unknown: {environment} does not tell what runs", environment=where)),)
    if not here:
        mark = Mark.BAD if least else Mark.NOTE
        return (Proof("soak", SOAK, mark, phrase("does not run in {environment}", environment=where)),)
    if any(row.fate is Fate.BAD for row in rows[:1]):
        return (Proof("soak", SOAK, Mark.BAD, phrase("was found bad in {environment}", environment=where)),)
    if good is None or good.since is None:
        said = phrase("in {environment} now, not yet found well there", environment=where)
        return (Proof("soak", SOAK, Mark.UNKNOWN if least else Mark.NOTE, said),)
    return (_soaked(where, case.now - good.since, least),)


def _soaked(where: Phrase, length: timedelta, least: timedelta) -> Proof:
    said = phrase("{length} in {environment}", length=_whole(length), environment=where)
    if length >= least:
        return Proof("soak", SOAK, Mark.GOOD, said)
    return Proof("soak", SOAK, Mark.BAD, phrase("{said}, and {least} are wanted", said=said, least=least))


def _whole(length: timedelta) -> timedelta:
    """In whole minutes once it is one: a plan card is no stop-watch."""
    seconds = max(0, int(length.total_seconds()))
    return timedelta(seconds=seconds - seconds % 60 if seconds >= 60 else seconds)


async def _runs(sources: Sources, case: Case) -> bool | None:
    """Whether the environment before runs the release's digest now, None when it does not tell."""
    before = case.before
    if before is None:
        return None
    rollout = await sources.tried(before.cluster, lambda: sources.cluster.rollout(Workload.of(before)))
    if rollout is None:
        return None
    return any(image.endswith(f"@{case.release.digest}") for image in rollout.images)


async def budgets(sources: Sources, case: Case) -> tuple[tuple[Proof, ...], Mapping[str, float | None]]:
    """A row for each SLO of the service, and what is left of each in percent (None: not known)."""
    slos = [slo for slo in sources.slos if slo.service == case.service.name]
    if not slos or sources.budgets is None:
        return (), {}
    asked = sources.budgets
    found = await sources.tried("budgets", lambda: asked.standings(slos))
    if found is None:
        rows = tuple(unknown(f"slo {slo.name}", _slo(slo.name)) for slo in slos)
        return rows, {slo.name: None for slo in slos}
    rows = tuple(
        Proof(f"slo {item.slo.name}", _slo(item.slo.name), _mark(item.left), budget.left(item)) for item in found
    )
    return rows, {item.slo.name: None if item.left is None else item.left * 100 for item in found}


def _slo(name: str) -> Phrase:
    return phrase("Budget of {slo}", slo=name)


def _mark(left: float | None) -> Mark:
    if left is None:
        return Mark.UNKNOWN
    return Mark.GOOD if left > LOW else Mark.BAD
