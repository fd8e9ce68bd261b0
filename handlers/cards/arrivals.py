"""Which versions came to run in production, and when: whoever brought them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.operations import State
from bot.domain.releases import Fate
from bot.domain.services import Catalogue
from bot.ports.store import Tx

LOOKED_AT = 200
ACTIONS = frozenset({"promote", "rollback", "undo"})
"""What puts another version into production."""
DONE = frozenset({State.SUCCEEDED, State.UNDONE, State.RUNNING, State.PAUSED, State.FAILED})
"""Operations that changed something, or may have."""
SAME = timedelta(hours=1)
"""A version that several senders tell of within this time came once."""


@dataclass(frozen=True)
class Arrival:
    """``version`` began to run at that time; an operation's id where no version is known. ``gone``: not there now."""

    version: str
    at: datetime
    gone: bool = False


def arrivals(tx: Tx, services: Catalogue, name: str, since: datetime) -> tuple[Arrival, ...]:
    """Those of the service *name* since then, the latest first: as seen to run, as pipelines told, as pult itself did.

    Of a service that is not configured every environment counts: nobody knows which one is production.
    """
    service = services.find(name)
    places = frozenset(environment.name for environment in service.production) if service else frozenset()
    found: list[Arrival] = []
    for arrival in (*_seen(tx, name, places), *_told(tx, name), *_done(tx, name, places)):
        known = any(each.version == arrival.version and abs(each.at - arrival.at) <= SAME for each in found)
        if arrival.at >= since and not known:
            found.append(arrival)
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def _seen(tx: Tx, name: str, places: frozenset[str]) -> Iterator[Arrival]:
    for each in tx.deployments(name, limit=LOOKED_AT):
        if each.since is not None and (not places or each.environment in places):
            yield Arrival(each.version, each.since, each.fate is Fate.BACK)


def _told(tx: Tx, name: str) -> Iterator[Arrival]:
    for release in tx.releases(name, LOOKED_AT):
        if release.stage == "released":
            yield Arrival(release.version, release.at)


def _done(tx: Tx, name: str, places: frozenset[str]) -> Iterator[Arrival]:
    for operation in tx.recent_operations(LOOKED_AT):
        plan, at = operation.plan, operation.started_at
        there = not places or plan.environment in {"", *places}
        done = plan.service == name and plan.action in ACTIONS and operation.state in DONE
        if done and there and at is not None:
            yield Arrival(plan.params.get("version") or operation.id, at)
