"""The notification that Alertmanager's webhook and Grafana's, made after it, have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.domain.alerts import Alert, Notification
from bot.domain.errors import MalformedError
from handlers.webhooks.body import moment, text, texts

Annotate = Callable[[Mapping[str, Any], str], Mapping[str, str]]
"""Annotations of one alert (its JSON, where it stands in the body) besides those it carries as such."""


def notification(body: Mapping[str, Any], source: str, now: datetime, annotate: Annotate | None = None) -> Notification:
    """One group. Unknown keys pass, missing ones are made up for; MalformedError says where it can't be read.

    A custom payload (Alertmanager 0.32 and later, any Grafana) need not look like this at all: the sender is told.
    """
    alerts = body.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        raise MalformedError(
            "alerts: expected a list with at least one alert, as the sender's own payload has it; "
            "where a custom payload is set for this receiver, take it out"
        )
    labels, receiver = texts(body, "groupLabels"), text(body, "receiver")
    return Notification(
        source=source,
        key=text(body, "groupKey") or f"{receiver}:{sorted(labels.items())}",
        receiver=receiver,
        labels=labels,
        alerts=tuple(_alert(item, f"alerts[{at}].", now, annotate) for at, item in enumerate(alerts)),
        url=text(body, "externalURL"),
        truncated=_count(body),
    )


def _alert(data: Any, where: str, now: datetime, annotate: Annotate | None) -> Alert:  # noqa: ANN401 - JSON
    if not isinstance(data, dict):
        raise MalformedError(f"{where[:-1]}: expected an object")
    labels, annotations = texts(data, "labels", where), texts(data, "annotations", where)
    resolved = text(data, "status", where) == "resolved"
    return Alert(
        fingerprint=text(data, "fingerprint", where) or _fingerprint(labels),
        labels=labels,
        annotations={**annotate(data, where), **annotations} if annotate else annotations,
        starts_at=moment(data, "startsAt", where) or now,
        ends_at=(moment(data, "endsAt", where) or now) if resolved else None,
        url=text(data, "generatorURL", where),
    )


def _count(body: Mapping[str, Any]) -> int:
    count = body.get("truncatedAlerts") or 0
    if not isinstance(count, int) or count < 0:
        raise MalformedError("truncatedAlerts: expected a number")
    return count


def _fingerprint(labels: Mapping[str, str]) -> str:
    return sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16]
