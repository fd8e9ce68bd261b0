"""What changed around an alert: the first question of everybody who is woken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts import Group
from bot.domain.operations import STATE_WORDS, State
from bot.domain.phrases import Code, Phrase, phrase
from bot.ports.store import Tx

BEFORE = timedelta(hours=1)
SHOWN = 5
LOOKED_AT = 30
"""Latest releases and operations that are looked at: more than an hour has."""
DID_NOTHING = frozenset({State.PROPOSED, State.WAITING, State.APPROVED, State.REJECTED, State.EXPIRED, State.CANCELLED})


@dataclass(frozen=True)
class Change:
    """Something that was done to a service, and when."""

    at: datetime
    what: Phrase


def around(tx: Tx, group: Group) -> tuple[Change, ...]:
    """Releases and operations of its service (of any, where it names none), from an hour before; newest first."""
    since, until = group.opened_at - BEFORE, group.closed_at
    found = [*_releases(tx, group.service), *_operations(tx, group.service)]
    kept = [change for change in found if since <= change.at and (until is None or change.at <= until)]
    return tuple(sorted(kept, key=lambda change: change.at, reverse=True)[:SHOWN])


def line(change: Change) -> Phrase:
    """One line of the card."""
    return phrase("{at}: {what}", at=change.at, what=change.what)


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
        yield Change(at, phrase("{title}: {state} ({id})", title=plan.title, state=state, id=Code(operation.id)))
