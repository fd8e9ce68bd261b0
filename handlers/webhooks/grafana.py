"""Grafana alerting webhook, version "1": Alertmanager's notification with links, values and an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.domain.alerts import GRAFANA
from bot.domain.errors import ForgedError, MalformedError
from bot.domain.events import Heard
from bot.domain.signatures import check_basic, check_fresh, check_hmac, check_token
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import body_key, json_object, text
from handlers.webhooks.groups import notification

SIGNATURES = ("x-grafana-alerting-signature", "x-grafana-alert-signature")
"""Grafana's documentation names the first, grafana/alerting http/hmac.go the second."""
LINKS = {
    "dashboardURL": "dashboard_url",
    "panelURL": "panel_url",
    "silenceURL": "silence_url",
    "imageURL": "image_url",
}
"""Grafana's key → the annotation that it becomes. A rule's own annotation of that name stands above it."""


@dataclass(frozen=True)
class Proofs:
    """What Grafana is to prove: everything that is not empty. Header names are lower case.

    ``signature``: where its HMAC stands, empty: where Grafana puts it by itself. ``timestamp``: header with the time
    that is signed along, empty: the body alone is signed.
    """

    secret: str = ""
    token: str = ""
    username: str = ""
    password: str = ""
    signature: str = ""
    timestamp: str = ""


def source(proofs: Proofs) -> Source:
    """Grafana that shows all of *proofs*; with none, everything is refused."""
    return Source(GRAFANA, lambda delivery: _authenticate(delivery, proofs), parse, body_key)


def parse(delivery: Delivery) -> Heard:
    """One notification; MalformedError says where the body is not what Grafana sends.

    Organisations and Grafanas have their groups apart, though their group keys may be equal.
    """
    body = json_object(delivery)
    told = notification(body, GRAFANA, delivery.received_at, _extras)
    return Heard(notifications=(replace(told, key=f"{GRAFANA} {told.url} {body.get('orgId')} {told.key}"),))


def _authenticate(delivery: Delivery, proofs: Proofs) -> None:
    if not (proofs.secret or proofs.token or proofs.password):
        raise ForgedError("no credentials are configured")
    if proofs.secret:
        _check_signature(delivery, proofs)
    if proofs.token:
        check_token(delivery.headers, proofs.token)
    if proofs.password:
        check_basic(delivery.headers, proofs.username, proofs.password)


def _check_signature(delivery: Delivery, proofs: Proofs) -> None:
    names = (proofs.signature,) if proofs.signature else SIGNATURES
    given = next((value for name in names if (value := delivery.headers.get(name))), "")
    if not proofs.timestamp:
        check_hmac(delivery.body, given, proofs.secret, prefix="")
        return
    stamp = delivery.headers.get(proofs.timestamp, "")
    check_hmac(stamp.encode(errors="surrogateescape") + b":" + delivery.body, given, proofs.secret, prefix="")
    check_fresh(stamp, delivery.received_at)


def _extras(alert: Mapping[str, Any], where: str) -> Mapping[str, str]:
    """Links and values as annotations."""
    over = alert.get("status") == "resolved"
    links = {name: text(alert, key, where) for key, name in LINKS.items()}
    found = links if over else {name: _lasting(url) for name, url in links.items()}
    found["values"] = _values(alert, where)
    return {name: value for name, value in found.items() if value}


def _lasting(url: str) -> str:
    """*url* without the moment it was written at: a dashboard's time range ends then, so no two repeats are equal.

    It ends now instead, which is also what a reader of a firing alert wants to see (generateDashboardURL in
    grafana/alerting templates/template_data.go).
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all
        return ""
    query = parse_qsl(parts.query, keep_blank_values=True)
    if not {"from", "to"} <= {name for name, _ in query}:
        return url
    lasting = [(name, "now" if name == "to" else value) for name, value in query]
    return urlunsplit(parts._replace(query=urlencode(lasting)))


def _values(alert: Mapping[str, Any], where: str) -> str:
    """``A=2.41, C=1``; what is null or no number is unknown, never zero."""
    values = alert.get("values")
    if values is None:
        return ""
    if not isinstance(values, dict):
        raise MalformedError(f"{where}values: expected an object")
    return ", ".join(f"{name}={_value(value, f'{where}values.{name}')}" for name, value in sorted(values.items()))


def _value(value: object, where: str) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError(f"{where}: expected a number")
    return f"{value:.6g}" if isfinite(value) else "?"
