"""What the card of a release shows: everything that is known of it and of where it went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.operations import Verdict
from bot.domain.releases import Deployment, Fate, Release, current
from bot.domain.services import Catalogue
from bot.domain.sightings import Gate, gate_for, gates_name
from bot.domain.standing import Stay
from bot.ports.store import Tx

LOOKED_BACK = 20
"""Deployments of one environment among which the present one is sought."""


@dataclass(frozen=True)
class Seen:
    """A release with all that its card shows. ``stays`` in the order of promotion; ``before``: see promotable().

    ``base``: the commit of the release that production had before this one, or has, as long as it is not there.
    """

    release: Release
    stays: tuple[Stay, ...] = ()
    gates: tuple[Gate, ...] = ()
    known: bool = False
    before: bool = False
    base: str = ""


def load(tx: Tx, services: Catalogue, ident: str) -> Seen | None:
    """What is known now of the release *ident*, or None."""
    name, _, version = ident.partition("/")
    release, service = tx.release(name, version), services.find(name)
    if release is None:
        return None
    environments = service.environments if service else ()
    production = {each.name for each in service.production} if service else set()
    rows = _latest(tx.deployments_of(name, version), [each.name for each in environments])
    stays = tuple(_stay(tx, row, production=row.environment in production) for row in rows)
    waiting = (gate_for(tx.mark(gates_name(name, each.name)), release) for each in environments)
    before = any(each.name not in production for each in environments)
    base = _base(tx, release, service.primary.name) if service else ""
    return Seen(release, stays, tuple(filter(None, waiting)), service is not None, before, base)


def _latest(rows: Iterable[Deployment], order: list[str]) -> list[Deployment]:
    """What last became of it in each environment, in the order of promotion; what never got there is left out."""
    latest = {row.environment: row for row in sorted(rows, key=lambda row: row.at) if row.fate is not Fate.ENDED}
    known = [latest.pop(name) for name in order if name in latest]
    return [*known, *latest.values()]


def _base(tx: Tx, release: Release, production: str) -> str:
    came = [row for row in tx.deployments(release.service, production, LOOKED_BACK) if row.since]
    mine = min((row.since for row in came if row.version == release.version and row.since), default=None)
    others = (row for row in came if row.version != release.version)
    earlier = [row for row in others if mine is None or (row.since and row.since < mine)]
    before = max(earlier, key=lambda row: row.since or row.at, default=None)
    known = tx.release(release.service, before.version) if before else None
    return known.commit if known else ""


def _stay(tx: Tx, row: Deployment, *, production: bool) -> Stay:
    now_there = current(tx.deployments(row.service, row.environment, LOOKED_BACK))
    replaced, until = "", None
    if row.fate is Fate.GOOD and now_there and now_there.version != row.version:
        replaced, until = now_there.version, now_there.since
    operation = tx.operation(row.operation) if row.operation else None
    given = operation.approvals if operation else ()
    names = dict.fromkeys(each.person for each in given if each.verdict is Verdict.APPROVE)
    if operation is None:
        return Stay(row, production, replaced, until)
    return Stay(row, production, replaced, until, operation.proposer, tuple(names), open=not operation.final)
