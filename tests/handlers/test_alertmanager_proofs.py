"""Alertmanager behind a proxy that checks its certificate, and bodies of releases to come."""

from __future__ import annotations

import base64
import json
from ipaddress import ip_network

import pytest

from bot.domain.errors import ForgedError, MalformedError
from bot.domain.signatures import Proxied
from bot.ports.webhooks import Delivery
from handlers.webhooks import alertmanager
from tests.handlers.test_alertmanager_webhook import NOW, body

NETWORKS = tuple(map(ip_network, ("10.0.0.0/8", "2001:db8::/32")))
PROXIED = Proxied("x-ssl-client-verify", "SUCCESS", NETWORKS)
GOOD = {"x-ssl-client-verify": "SUCCESS"}


def sent(headers: dict[str, str], peer: str = "10.1.2.3") -> Delivery:
    return Delivery(headers, b"{}", NOW, peer)


def basic(pair: bytes, scheme: str = "Basic") -> dict[str, str]:
    return {"authorization": f"{scheme} {base64.b64encode(pair).decode()}"}


@pytest.mark.parametrize("peer", ["10.0.0.1", "10.255.255.255", "::ffff:10.0.0.1", "2001:db8::1"])
def test_a_certificate_that_a_trusted_proxy_has_checked_is_enough_alone(peer: str) -> None:
    alertmanager.source(certificate=PROXIED).authenticate(sent(GOOD, peer))


@pytest.mark.parametrize(
    "peer", ["11.0.0.1", "127.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "::1", "", "proxy", "10.1"]
)
def test_the_header_counts_from_nobody_else(peer: str) -> None:
    with pytest.raises(ForgedError, match="not from a trusted proxy"):
        alertmanager.source(certificate=PROXIED).authenticate(sent(GOOD, peer))


@pytest.mark.parametrize(
    "said", [None, "", "NONE", "FAILED:expired", "success", "SUCCESS ", "SUCCESS, SUCCESS", "\udcff"]
)
def test_what_the_proxy_says_counts_to_the_letter(said: str | None) -> None:
    headers = {} if said is None else {"x-ssl-client-verify": said, "x-forwarded-for": "10.0.0.1"}
    with pytest.raises(ForgedError, match="client certificate"):
        alertmanager.source(certificate=PROXIED).authenticate(sent(headers))


def test_a_certificate_is_asked_for_besides_the_token_and_never_instead() -> None:
    source = alertmanager.source(token="t0ken", certificate=PROXIED)
    bearer = {"authorization": "Bearer t0ken"}
    source.authenticate(sent(GOOD | bearer))
    for headers, peer in ((GOOD, "10.0.0.1"), (bearer, "10.0.0.1"), (GOOD | bearer, "192.0.2.1")):
        with pytest.raises(ForgedError):
            source.authenticate(sent(headers, peer))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Token", "PultKey"])
def test_a_token_under_any_scheme(scheme: str) -> None:
    alertmanager.source(token="t0ken").authenticate(sent({"authorization": f"{scheme} t0ken"}))


@pytest.mark.parametrize("password", ["with:colon", "with blank ", " ", "пароль", "a:b:c d", "🔑"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_with_any_password(password: str, scheme: str) -> None:
    source = alertmanager.source(username="am", password=password)
    source.authenticate(sent(basic(f"am:{password}".encode(), scheme)))
    for wrong in (basic(f"am:{password}x".encode()), basic(f"am{password}".encode()), {}):
        with pytest.raises(ForgedError):
            source.authenticate(sent(wrong))


def test_utf8_label_names_and_the_keys_of_034_pass() -> None:
    named = {"служба.имя": "api", "k8s.pod/name": "api-1", "": "x", "🔥": "да"}
    found = body(
        alert={"labels": named},
        groupLabels=named,
        notification_reason="new alerts added",
        routeLabels={"team": "sre"},
    )
    (told,) = alertmanager.parse(found).notifications
    assert (told.labels, told.alerts[0].labels) == (named, named)


@pytest.mark.parametrize("custom", [{"text": "fire"}, {"alerts": "2"}, {"alerts": []}, {"attachments": [{"x": 1}]}])
def test_a_custom_payload_is_told_where_and_what_is_expected(custom: dict[str, object]) -> None:
    with pytest.raises(MalformedError, match=r"^alerts: expected a list with at least one alert.*custom payload"):
        alertmanager.parse(Delivery({}, json.dumps(custom).encode(), NOW))
