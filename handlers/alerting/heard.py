"""What webhooks told, sorted: alert groups, the Watchdog, the canary, releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import Notification
from bot.domain.cards import Place, Wish, subject
from bot.domain.events import Heard
from bot.domain.releases import Release, merge
from bot.ports.canary import CARD, NAME, PLACE
from bot.ports.store import Tx
from handlers.alerting import episodes, watchdog
from handlers.alerting.rules import Rules
from handlers.operating import voiding


def hear(tx: Tx, rules: Rules, heard: Heard, now: datetime) -> bool:
    """Take everything in. False: nothing that a reader sees has changed."""
    news = [_notified(tx, rules, told, now) for told in heard.notifications]
    if heard.release:
        news.append(_released(tx, rules, heard.release, now))
    return any(news)


def _notified(tx: Tx, rules: Rules, told: Notification, now: datetime) -> bool:
    if {alert.labels.get("alertname") for alert in told.alerts} == {NAME}:
        tx.show(Wish(CARD, Place(PLACE)), now)
        return False
    dogs = tuple(alert for alert in told.alerts if alert.labels.get("alertname") == watchdog.NAME)
    rest = tuple(alert for alert in told.alerts if alert not in dogs)
    woken = watchdog.heard(tx, rules, dogs, now)
    # Without group_by Alertmanager sends the Watchdog in one group with all the others.
    return (bool(rest) and episodes.notified(tx, rules, replace(told, alerts=rest), now)) or woken


def _released(tx: Tx, rules: Rules, told: Release, now: datetime) -> bool:
    release = merge(tx.release(told.service, told.version), told)
    tx.save_release(release)
    voiding.reported(tx, told, now)
    for destination in rules.routes[-1].to:
        tx.show(Wish(subject("release", release.id), Place(destination)), now)
    return True
