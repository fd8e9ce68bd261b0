"""Alertmanager webhook v4: one notification of one group."""

from __future__ import annotations

from bot.domain.errors import ForgedError
from bot.domain.events import Heard
from bot.domain.signatures import Proxied, check_basic, check_proxied, check_token
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import json_object
from handlers.webhooks.groups import notification

NAME = "alertmanager"


def source(token: str = "", username: str = "", password: str = "", certificate: Proxied | None = None) -> Source:
    """Alertmanager with a token of any scheme or Basic *username*, *password*: whichever it sends counts.

    A *certificate* is asked for besides them, never instead: whoever learns the token still has to come through the
    proxy. With nothing at all everything is refused.
    """

    def authenticate(delivery: Delivery) -> None:
        if certificate:
            check_proxied(delivery.headers, delivery.peer, certificate)
        if token or password:
            _check_credentials(delivery, token, username, password)
        elif not certificate:
            raise ForgedError("no credentials are configured")

    return Source(NAME, authenticate, parse, lambda _: "")


def parse(delivery: Delivery) -> Heard:
    """One notification; MalformedError says where the body is not what Alertmanager sends."""
    return Heard(notifications=(notification(json_object(delivery), NAME, delivery.received_at),))


def _check_credentials(delivery: Delivery, token: str, username: str, password: str) -> None:
    basic = delivery.headers.get("authorization", "").lower().startswith("basic ")
    if password and (basic or not token):
        check_basic(delivery.headers, username, password)
    else:
        check_token(delivery.headers, token)
