"""The Watchdog: an alert that always fires. Heard, it is never shown; not heard, monitoring is blind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.alerts import Alert
from bot.ports.store import Tx
from handlers.alerting import own
from handlers.alerting.rules import Rules
from handlers.cards.own import TELLING

KIND = "watchdog"
BLIND = "MonitoringBlind"


def heard(tx: Tx, rules: Rules, told: Iterable[Alert], now: datetime) -> bool:
    """Each Watchdog has a clock of its own, which its next word sets anew. A resolved one is silence at once."""
    news = [_one(tx, rules, alert, now) for alert in told]
    return any(news)


def _one(tx: Tx, rules: Rules, alert: Alert, now: datetime) -> bool:
    if tx.mark(_name(alert.fingerprint)) != alert.labels:
        tx.put_mark(_name(alert.fingerprint), dict(alert.labels))
    if not alert.firing:
        tx.drop_timer(KIND, alert.fingerprint)
        return silent(tx, rules, alert.fingerprint, now)
    tx.set_timer(KIND, alert.fingerprint, now + rules.watchdog)
    return own.over(tx, rules, f"{KIND} {alert.fingerprint}", now)


def silent(tx: Tx, rules: Rules, fingerprint: str, now: datetime) -> bool:
    """Monitoring is blind: nothing that looks well can be believed until the Watchdog is heard again."""
    labels = tx.mark(_name(fingerprint)) or {}
    told = {name: labels[name] for name in TELLING if labels.get(name)}
    return own.fires(tx, rules, f"{KIND} {fingerprint}", {"alertname": BLIND, **told}, now)


def unheard(tx: Tx, rules: Rules, fingerprint: str, now: datetime) -> None:
    """It was pult that was away: the Watchdog gets its time anew, and nobody is woken for what was no silence."""
    tx.set_timer(KIND, fingerprint, now + rules.watchdog)


def _name(fingerprint: str) -> str:
    return f"{KIND}:{fingerprint}"
