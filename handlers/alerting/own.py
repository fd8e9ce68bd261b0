"""Pult's own alerts: they go the way of all others, from routes to escalation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.alerts import CRITICAL, OWN, Alert, Notification
from bot.domain.trouble import Trouble
from bot.ports.store import Tx
from handlers.alerting import episodes
from handlers.alerting.rules import Rules

DRIFT = "Drift"
REGION = "RegionLost"
RUNBOOKS = {
    "MonitoringBlind": "Watchdog.md",
    "PultDeaf": "PultCanaryLost.md",
    "GitopsSyncFailed": "GitopsSyncFailed.md",
    "GitopsDegraded": "GitopsDegraded.md",
    DRIFT: "Drift.md",
    REGION: "RegionLost.md",
    **{trouble.value: f"{trouble.value}.md" for trouble in Trouble},
}
"""By alert, its page in docs/runbooks."""


def fires(
    tx: Tx, rules: Rules, key: str, labels: Mapping[str, str], now: datetime, notes: Mapping[str, str] | None = None
) -> bool:
    """Raise an alert under *key*; False when it fires already. What it says is drawn from *labels*.

    They name it (``alertname``); without a ``severity`` it is critical. *notes* are further annotations.
    """
    known = tx.latest_group(_key(key))
    if known and known.closed_at is None:
        return False
    return _told(tx, rules, key, _alert(rules, key, labels, now, notes), now)


def tells(
    tx: Tx, rules: Rules, key: str, labels: Mapping[str, str], now: datetime, notes: Mapping[str, str] | None = None
) -> bool:
    """Raise an alert, or have the one that fires under *key* say what is so now; False when it says so already."""
    known = tx.latest_group(_key(key))
    if known is None or known.closed_at:
        return fires(tx, rules, key, labels, now, notes)
    (standing,) = known.alerts.values()
    alert = replace(_alert(rules, key, labels, now, notes), starts_at=standing.starts_at)
    if notes is None:
        alert = replace(alert, annotations=standing.annotations)
    said = (alert.labels, alert.annotations) == (standing.labels, standing.annotations)
    return not said and _told(tx, rules, key, alert, now)


def over(tx: Tx, rules: Rules, key: str, now: datetime) -> bool:
    """Resolve what fires under *key*; False when nothing does."""
    known = tx.latest_group(_key(key))
    if known is None or known.closed_at:
        return False
    (alert,) = known.alerts.values()
    return _told(tx, rules, key, replace(alert, ends_at=now), now)


def _alert(
    rules: Rules, key: str, labels: Mapping[str, str], now: datetime, notes: Mapping[str, str] | None = None
) -> Alert:
    every = {"severity": CRITICAL, "service": "monitoring", **labels}
    page = RUNBOOKS.get(labels["alertname"])
    runbook = {"runbook_url": f"{rules.runbooks}/{page}"} if rules.runbooks and page else {}
    return Alert(key, every, {**runbook, **(notes or {})}, now)


def _told(tx: Tx, rules: Rules, key: str, alert: Alert, now: datetime) -> bool:
    labels = {name: alert.labels[name] for name in ("alertname", "service")}
    return episodes.notified(tx, rules, Notification(OWN, _key(key), OWN, labels, (alert,)), now)


def _key(key: str) -> str:
    return f"{OWN} {key}"
