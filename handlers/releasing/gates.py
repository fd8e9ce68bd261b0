"""Workflow runs that wait before an environment, so that a promotion knows whom to answer."""

from __future__ import annotations

from datetime import datetime

from bot.domain.cards import subject
from bot.domain.services import Catalogue
from bot.domain.sightings import GATES_KEPT, Finished, Gate, gates_name
from bot.ports.store import Tx

RECENT = 50
"""Releases of a service among which one is looked for."""


def waits(tx: Tx, gate: Gate, now: datetime) -> bool:
    """The latest GATES_KEPT are kept; the same run again is the same gate."""
    others = tuple(each for each in tx.mark(gate.name) or () if each.run != gate.run)
    tx.put_mark(gate.name, (*others, gate)[-GATES_KEPT:])
    return _show(tx, (gate,), now)


def finished(tx: Tx, services: Catalogue, run: Finished, now: datetime) -> bool:
    """A run that is over waits nowhere."""
    service = services.find(run.service)
    news = False
    for environment in service.environments if service else ():
        name = gates_name(run.service, environment.name)
        known: tuple[Gate, ...] = tx.mark(name) or ()
        gone = tuple(gate for gate in known if gate.run == run.run)
        if gone:
            tx.put_mark(name, tuple(gate for gate in known if gate not in gone))
            news = _show(tx, gone, now) or news
    return news


def _show(tx: Tx, gates: tuple[Gate, ...], now: datetime) -> bool:
    news = False
    for gate in gates:
        for release in tx.releases(gate.service, RECENT):
            if gate.waits_for(release):
                tx.bump(subject("release", release.id), now)
                news = True
    return news
