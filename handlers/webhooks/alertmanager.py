"""Alertmanager webhook v4: one notification of one group. Unknown keys pass, missing ones are made up for."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.domain.alerts import Alert, Notification
from bot.domain.errors import ForgedError, MalformedError
from bot.domain.events import Heard
from bot.domain.signatures import check_basic, check_token
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import json_object, moment, text, texts

NAME = "alertmanager"


def source(token: str = "", username: str = "", password: str = "") -> Source:
    """Alertmanager with Bearer *token* and/or Basic *username*, *password*; with neither, everything is refused."""

    def authenticate(delivery: Delivery) -> None:
        basic = delivery.headers.get("authorization", "").lower().startswith("basic ")
        if basic and password:
            check_basic(delivery.headers, username, password)
        elif token:
            check_token(delivery.headers, token)
        else:
            raise ForgedError("no credentials are configured")

    return Source(NAME, authenticate, parse, lambda _: "")


def parse(delivery: Delivery) -> Heard:
    """One notification; MalformedError says where the body is not what Alertmanager sends."""
    body = json_object(delivery)
    alerts = body.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        raise MalformedError("alerts: expected a list with at least one alert")
    labels, receiver = texts(body, "groupLabels"), text(body, "receiver")
    told = Notification(
        source=NAME,
        key=text(body, "groupKey") or f"{receiver}:{sorted(labels.items())}",
        receiver=receiver,
        labels=labels,
        alerts=tuple(alert(item, f"alerts[{at}].", delivery.received_at) for at, item in enumerate(alerts)),
        url=text(body, "externalURL"),
        truncated=_count(body),
    )
    return Heard(notifications=(told,))


def alert(data: Any, where: str, now: datetime) -> Alert:  # noqa: ANN401 - JSON
    """One alert of the list."""
    if not isinstance(data, dict):
        raise MalformedError(f"{where[:-1]}: expected an object")
    labels = texts(data, "labels", where)
    resolved = text(data, "status", where) == "resolved"
    return Alert(
        fingerprint=text(data, "fingerprint", where) or _fingerprint(labels),
        labels=labels,
        annotations=texts(data, "annotations", where),
        starts_at=moment(data, "startsAt", where) or now,
        ends_at=(moment(data, "endsAt", where) or now) if resolved else None,
        url=text(data, "generatorURL", where),
    )


def _count(body: dict[str, Any]) -> int:
    count = body.get("truncatedAlerts") or 0
    if not isinstance(count, int) or count < 0:
        raise MalformedError("truncatedAlerts: expected a number")
    return count


def _fingerprint(labels: dict[str, str]) -> str:
    return sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16]
