"""Which cards a group wants, and which of them are pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.alerts import CRITICAL, Group
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.routes import Target, targets
from bot.ports.store import Tx
from handlers.alerting import storms
from handlers.alerting.rules import Rules

NOWHERE = 99
"""Behind every priority: no card stands there."""


def show(tx: Tx, rules: Rules, known: Group | None, group: Group, wanted: Sequence[Target], now: datetime) -> Group:
    """Cards for every *wanted* target of a new episode; those of one that is *known* are bumped, wherever they are."""
    what = subject("alert", group.id)
    standing: dict[str, int] = {}
    loud = known is not None and group.severity == CRITICAL != known.severity
    if known is not None:
        tx.bump(what, now)
        for storm in group.storms:
            tx.gather(storm, group)
            tx.bump(subject(storms.KIND, storm), now)
        if wanted == targets(known, rules.routes) and group.severity == known.severity:
            return group
        standing = {card.place.lane: card.priority for card in tx.cards_of(what)}
    for target in wanted:
        before = standing.get(target.destination, NOWHERE)
        if before > _priority(target, group) or (loud and before != NOWHERE):  # it may stand back for quiet hours
            group = _shown(tx, rules, group, target, now)
    return group


def _shown(tx: Tx, rules: Rules, group: Group, target: Target, now: datetime) -> Group:
    """A card of its own, or a place in the storm that rages there."""
    place = Place(target.destination, locale=target.locale, zone=target.zone)
    quiet = None
    if not (target.page or group.severity == CRITICAL):
        if storm := storms.gathering(tx, rules, place, now):
            return storms.gather(tx, storm, group, now)
        owner = rules.owner(target.destination)
        quiet = owner.quiet.until(now) if owner and owner.quiet else None
    tx.show(Wish(subject("alert", group.id), place, _priority(target, group), not_before=quiet), now)
    return group


def _priority(target: Target, group: Group) -> Priority:
    """A critical that wakes nobody still goes before all that is not critical."""
    if target.page:
        return Priority.PAGE
    return Priority.OPERATION if group.severity == CRITICAL else Priority.NORMAL
