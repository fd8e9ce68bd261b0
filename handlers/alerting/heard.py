"""What webhooks told of alerts, sorted: groups, the Watchdog, the canary."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import WATCHDOG, Notification
from bot.domain.cards import Place, Wish
from bot.domain.events import Heard
from bot.ports.canary import CARD, NAME, PLACE
from bot.ports.store import Tx
from handlers.alerting import episodes, watchdog
from handlers.alerting.rules import Rules


def hear(tx: Tx, rules: Rules, heard: Heard, now: datetime) -> bool:
    """Take everything in. False: nothing that a reader sees has changed."""
    news = [_notified(tx, rules, told, now) for told in heard.notifications]
    return any(news)


def _notified(tx: Tx, rules: Rules, told: Notification, now: datetime) -> bool:
    if {alert.labels.get("alertname") for alert in told.alerts} == {NAME}:
        tx.show(Wish(CARD, Place(PLACE)), now)
        return False
    dogs = tuple(alert for alert in told.alerts if alert.labels.get("alertname") == WATCHDOG)
    rest = tuple(alert for alert in told.alerts if alert not in dogs)
    woken = watchdog.heard(tx, rules, dogs, now)
    # Without group_by Alertmanager sends the Watchdog in one group with all the others.
    return (bool(rest) and episodes.notified(tx, rules, replace(told, alerts=rest), now)) or woken
