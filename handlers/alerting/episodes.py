"""An alert group's way through its episode: opened, grown, over; with its cards, its clocks and its news."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import CRITICAL, Alert, Group, Notification, Status, alias, fold
from bot.domain.ids import ALERT, free
from bot.domain.routes import targets
from bot.ports.store import Tx
from handlers.alerting import escalation, holding, showing
from handlers.alerting.news import tell
from handlers.alerting.rules import Rules


def notified(tx: Tx, rules: Rules, told: Notification, now: datetime) -> bool:
    """One notification of one group. False: nothing that a reader sees has changed."""
    told, known = _continued(tx, told)
    group = fold(known, told, now, _free_id(tx, told, known))
    if group is None or group is known:
        return False
    tx.save_group(_changed(tx, rules, known if known and known.id == group.id else None, group, now))
    return True


def _changed(tx: Tx, rules: Rules, known: Group | None, group: Group, now: datetime) -> Group:
    """*known*: the same episode as it was before, None for a new one."""
    wanted = targets(group, rules.routes)
    if not group.pages and any(target.page for target in wanted):
        group = replace(group, pages=True)
    group = group.logged(now, "fired") if known is None else _grown(tx, known, group, now)
    group = showing.show(tx, rules, known, group, wanted, now)
    if group.status is Status.RESOLVED:
        return _over(tx, group, now)
    if known and not all(holding.covers(group, alert) for alert in _joined(known, group)):
        return holding.outgrow(tx, rules, group, now)
    if group.pages and not (known and known.pages):
        return escalation.begin(tx, rules, group, now)
    return group


def _grown(tx: Tx, known: Group, group: Group, now: datetime) -> Group:
    """What has joined, and whether that made it worse: where its card stands already an edit alone wakes nobody."""
    if group.firing and _worse(known, group):
        group = group.logged(now, "worsened", detail=group.severity)
        tell(tx, group, now, loud=group.pages and group.silenced is None)
        return group
    return group.logged(now, "grew") if len(group.firing) > len(known.firing) else group


def _worse(known: Group, group: Group) -> bool:
    return (group.pages, group.severity == CRITICAL) > (known.pages, known.severity == CRITICAL)


def _joined(known: Group, group: Group) -> tuple[Alert, ...]:
    """Alerts that fire now and did not before."""
    before = {alert.fingerprint for alert in known.firing}
    return tuple(alert for alert in group.firing if alert.fingerprint not in before)


def _over(tx: Tx, group: Group, now: datetime) -> Group:
    for kind in (escalation.KIND, holding.ACK, holding.SILENCE):
        tx.drop_timer(kind, group.id)
    group = group.logged(now, "resolved")
    if group.pages:
        tell(tx, group, now, loud=False)
    return group


def _continued(tx: Tx, told: Notification) -> tuple[Notification, Group | None]:
    """The group that *told* goes on with, and *told* under that group's key.

    Pult may have found a group by itself before its sender spoke of it (``alias``): of the two that opened last counts.
    """
    known = tx.latest_group(told.key)
    if known and known.closed_at is None:
        return told, known
    found = tx.latest_group(alias(told.source, told.receiver, told.labels))
    if found is None or (known and known.opened_at >= found.opened_at):
        return told, known
    if known is None and found.closed_at is None:
        return told, replace(found, key=told.key)
    return replace(told, key=found.key), found  # an older episode has the sender's key: episodes of one key are counted


def _free_id(tx: Tx, told: Notification, known: Group | None) -> str:
    """The id a new episode would get; one letter longer each time it is taken."""
    if known and known.closed_at is None:
        return known.id
    seed = f"{told.source} {told.key} {known.episode if known else 0}"
    return free(ALERT, seed, tx.group)
