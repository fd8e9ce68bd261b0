"""Which versions came to run in production, and when: whoever brought them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.operations import State
from bot.domain.plans import Plan
from bot.domain.releases import STAGE, Fate
from bot.domain.services import Catalogue
from bot.ports.store import Tx

LOOKED_AT = 200
"""Of each kind, the latest ones; of a long window with more of them the oldest go unnamed."""
BACK = frozenset({"rollback", "undo"})
ACTIONS = frozenset({"promote"}) | BACK
"""What puts another version into production."""
DONE = frozenset({State.SUCCEEDED, State.UNDONE, State.RUNNING, State.PAUSED, State.FAILED})
"""Operations that changed something, or may have."""
SAME = timedelta(hours=1)
"""A version that several senders tell of within this time came once."""


@dataclass(frozen=True)
class Arrival:
    """``version`` began to run at that time; an operation's id where no version is known.

    ``operation`` is pult's own that brought it, or empty. ``back``: it ran before, and was brought back. ``gone``:
    another one was put back in its place.
    """

    version: str
    at: datetime
    operation: str = ""
    back: bool = False
    gone: bool = False

    def also(self, other: Arrival) -> Arrival:
        """The same arrival as two have told of it: it began with the first of them."""
        return Arrival(
            self.version, min(self.at, other.at), self.operation or other.operation, self.back or other.back,
            self.gone or other.gone,
        )  # fmt: skip


def arrivals(
    tx: Tx, services: Catalogue, name: str, since: datetime, limit: int = LOOKED_AT
) -> tuple[Arrival, ...]:  # fmt: skip
    """Those of the service *name* since then, the latest first: as seen to run, as pipelines told, as pult itself did.

    *limit*: so many of each kind are looked at. Of a service that is not configured every environment counts: nobody
    knows which one is production.
    """
    service = services.find(name)
    places = frozenset(environment.name for environment in service.production) if service else frozenset()
    found: list[Arrival] = []
    for arrival in (*_seen(tx, name, places, limit), *_told(tx, name, limit), *_done(tx, name, places, limit)):
        same = (at for at, known in enumerate(found) if _same(known, arrival))
        if (at := next(same, None)) is None:
            found.append(arrival)
        else:
            found[at] = found[at].also(arrival)
    return tuple(sorted((each for each in found if each.at >= since), key=lambda each: each.at, reverse=True))


def _same(one: Arrival, other: Arrival) -> bool:
    return one.version == other.version and abs(one.at - other.at) <= SAME


def _seen(tx: Tx, name: str, places: frozenset[str], limit: int) -> Iterator[Arrival]:
    there = [d for d in tx.deployments(name, limit=limit) if not places or d.environment in places]
    for each in there:
        if each.since is None:
            continue
        back = any(
            other.fate is Fate.BACK and other.version != each.version and abs(other.at - each.since) <= SAME
            and (other.since is None or other.since < each.since)
            for other in there
        )  # fmt: skip
        yield Arrival(each.version, each.since, each.operation, back, each.fate is Fate.BACK)


def _told(tx: Tx, name: str, limit: int) -> Iterator[Arrival]:
    for release in tx.releases(name, limit):
        if release.stage == "released":
            yield Arrival(release.version, release.time(STAGE + "released"))


def _done(tx: Tx, name: str, places: frozenset[str], limit: int) -> Iterator[Arrival]:
    for operation in tx.recent_operations(limit):
        plan, at = operation.plan, operation.started_at
        done = plan.service == name and plan.action in ACTIONS and operation.state in DONE
        if done and at is not None and _there(plan, places):
            version, gone = plan.params.get("version") or operation.id, operation.state is State.UNDONE
            yield Arrival(version, at, operation.id, plan.action in BACK, gone)


def _there(plan: Plan, places: frozenset[str]) -> bool:
    """Whether it changes one of *places*; without any, every one counts."""
    changed = {plan.environment, *(target.environment.name for target in plan.targets)}
    return not places or not changed.isdisjoint({"", *places})
