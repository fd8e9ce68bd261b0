"""Bodies of Alertmanager's webhook, version 4, as its senders write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
NEVER = "0001-01-01T00:00:00Z"


def alert(
    name: str,
    *,
    severity: str = "critical",
    service: str = "api",
    resolved: bool = False,
    starts: datetime = START,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    every = {"alertname": name, "service": service, "severity": severity, **(labels or {})}
    return {
        "status": "resolved" if resolved else "firing",
        "labels": every,
        "annotations": {"summary": f"{name} of {service}", **(annotations or {})},
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(minutes=5)).isoformat() if resolved else NEVER,
        "generatorURL": "",
        "fingerprint": sha256(repr(sorted(every.items())).encode()).hexdigest()[:16],
    }


def notification(*alerts: dict[str, Any], key: str = "", url: str = "http://am-1:9093") -> dict[str, Any]:
    name = alerts[0]["labels"]["alertname"]
    firing = any(each["status"] == "firing" for each in alerts)
    return {
        "version": "4",
        "receiver": "pult",
        "status": "firing" if firing else "resolved",
        "groupKey": key or f'{{}}:{{alertname="{name}"}}',
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name},
        "commonAnnotations": {},
        "externalURL": url,
        "truncatedAlerts": 0,
        "alerts": list(alerts),
    }


def fires(name: str, **how: Any) -> dict[str, Any]:
    """One alert of a group of its own, firing."""
    return notification(alert(name, **how))


def resolves(name: str, **how: Any) -> dict[str, Any]:
    """The same alert, resolved."""
    return notification(alert(name, resolved=True, **how))
