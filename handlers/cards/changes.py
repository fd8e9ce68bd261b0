"""What changed around an alert: the first question of everybody who is woken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts import Group
from bot.domain.changes import ClusterChange, Restarted, Rolled, Scaled, Synced
from bot.domain.operations import STATE_WORDS, Operation, State
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Environment
from bot.ports.store import Tx
from handlers.cards.happened import said

BEFORE = timedelta(hours=1)
SHOWN = 5
LOOKED_AT = 30
"""Latest releases and operations that are looked at: more than an hour has."""
DID_NOTHING = frozenset({State.PROPOSED, State.WAITING, State.APPROVED, State.REJECTED, State.EXPIRED, State.CANCELLED})
CAUSES: Mapping[str, tuple[type, ...]] = {
    "restart": (Restarted,), "scale": (Scaled,), "sync": (Synced, Rolled), "undo": (Rolled,),
    "promote": (Rolled, Synced), "rollback": (Rolled, Synced), "rightsize": (Rolled, Synced),
}  # fmt: skip
"""By action: what an operation of pult makes a cluster tell."""
SKEW = timedelta(seconds=30)
"""Our clock and a cluster's may differ, and a cluster tells whole seconds."""


@dataclass(frozen=True)
class Change:
    """Something that was done to a service, and when; ``cause``: by which operation of pult."""

    at: datetime
    what: Phrase
    cause: Operation | None = None


def around(tx: Tx, group: Group) -> tuple[Change, ...]:
    """Releases and operations of its service (of any, where it names none), from an hour before; newest first."""
    found = [*_releases(tx, group.service), *_operations(tx, group.service)]
    return tuple(sorted((change for change in found if near(group, change.at)), key=_at, reverse=True))


def near(group: Group, at: datetime) -> bool:
    """Whether it may have to do with *group*: from an hour before it opened until it closed."""
    return group.opened_at - BEFORE <= at and (group.closed_at is None or at <= group.closed_at)


def versions(tx: Tx, service: str) -> dict[str, str]:
    """The versions of the latest releases, by their images' digests."""
    return {release.digest: release.version for release in tx.releases(service, LOOKED_AT) if release.digest}


def merged(
    own: tuple[Change, ...], told: Mapping[Environment, Iterable[ClusterChange]], named: Mapping[str, str]
) -> tuple[Change, ...]:
    """*own* with what clusters told, less what an operation among *own* explains; newest first.

    *named*: versions by digest. Each line names its cluster where several were asked.
    """
    several = len({environment.cluster for environment in told}) > 1
    operations = [change.cause for change in own if change.cause]
    found = list(own)
    for environment, facts in told.items():
        for fact in facts:
            if any(explains(operation, environment, fact) for operation in operations):
                continue
            what = said(fact, named)
            if several:
                what = phrase("{cluster}: {what}", cluster=environment.cluster, what=what)
            found.append(Change(fact.at, what))
    return tuple(sorted(found, key=_at, reverse=True))


def explains(operation: Operation, environment: Environment, fact: ClusterChange) -> bool:
    """Whether *operation* did *fact*: by its mark where there is one, else by kind, place and time."""
    if isinstance(fact, Restarted) and fact.operation:
        return fact.operation == operation.id
    plan = operation.plan
    if not isinstance(fact, CAUSES.get(plan.action, ())):
        return False
    places = {target.environment.name for target in plan.targets} or {plan.environment}
    if not places & {"", environment.name}:
        return False
    if plan.params.get("cluster", environment.cluster) != environment.cluster:
        return False
    begun = operation.started_at or operation.created_at
    return begun - SKEW <= fact.at and (operation.ended_at is None or fact.at <= operation.ended_at + SKEW)


def line(change: Change) -> Phrase:
    """One line of the card."""
    return phrase("{at}: {what}", at=change.at, what=change.what)


def _at(change: Change) -> datetime:
    return change.at


def _releases(tx: Tx, service: str) -> Iterable[Change]:
    for release in tx.releases(service, LOOKED_AT):
        yield Change(
            release.at, phrase("release {version} of {service}", version=release.version, service=release.service)
        )


def _operations(tx: Tx, service: str) -> Iterable[Change]:
    for operation in tx.recent_operations(LOOKED_AT):
        plan = operation.plan
        if operation.state in DID_NOTHING or (service and plan.service and plan.service != service):
            continue
        at = operation.ended_at or operation.started_at or operation.created_at
        state = STATE_WORDS[operation.state]
        what = phrase("{title}: {state} ({id})", title=plan.title, state=state, id=Code(operation.id))
        yield Change(at, what, operation)
