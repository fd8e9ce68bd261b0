"""Proofs of origin: shared secrets, HMAC signatures, certificates that a proxy has checked. Raises ForgedError.

Secrets are compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from bot.domain.errors import ForgedError

HASHES = ("sha256", "sha384", "sha512")
"""Those that a sender may name; what is weaker proves too little."""
MAX_AGE = 300
"""Seconds a signed timestamp may differ from ours (interface.md, ruling 6; Slack uses the same)."""


@dataclass(frozen=True)
class Proxied:
    """A client certificate checked by a proxy: *proxies* put *value* into *header* (lower case) where it was good."""

    header: str
    value: str
    proxies: tuple[IPv4Network | IPv6Network, ...]


def check_token(headers: Mapping[str, str], token: str) -> None:
    """``Authorization: <any scheme> <token>`` (Alertmanager sends any scheme in any case)."""
    _, _, given = headers.get("authorization", "").partition(" ")
    if not token or not hmac.compare_digest(_bytes(given.strip()), token.encode()):
        raise ForgedError("authorization")


def check_basic(headers: Mapping[str, str], username: str, password: str) -> None:
    """``Authorization: Basic``; the password may hold colons, blanks and any UTF-8."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    try:
        pair = base64.b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ForgedError("authorization") from error
    same = hmac.compare_digest(pair, f"{username}:{password}".encode())
    if scheme.lower() != "basic" or not same:
        raise ForgedError("authorization")


def check_proxied(headers: Mapping[str, str], peer: str, expected: Proxied) -> None:
    """The connection comes from one of the proxies, and its header says that the certificate was good.

    *peer* is the address of the connection itself, never of X-Forwarded-For: anybody can write a header.
    """
    try:
        address = ip_address(peer)
    except ValueError as error:
        raise ForgedError("not from a trusted proxy") from error
    if isinstance(address, IPv6Address) and address.ipv4_mapped:  # an IPv4 peer of a dual-stack socket
        address = address.ipv4_mapped
    if not any(address in network for network in expected.proxies):
        raise ForgedError("not from a trusted proxy")
    if not hmac.compare_digest(_bytes(headers.get(expected.header, "")), expected.value.encode()):
        raise ForgedError("client certificate")


def check_hmac(body: bytes, given: str, secret: str, prefix: str = "sha256=") -> None:
    """``<prefix><hex>`` of HMAC-SHA256 over *body*."""
    want = signature(body, secret, prefix)
    if not secret or not hmac.compare_digest(_bytes(given.strip().lower()), want.encode()):
        raise ForgedError("signature")


def check_named_hmac(body: bytes, given: str, secret: str) -> None:
    """``<hash>=<hex>`` of an HMAC over *body* with the hash that the sender names (one of HASHES)."""
    name, _, mark = given.strip().lower().partition("=")
    if not secret or name not in HASHES:
        raise ForgedError("signature")
    want = hmac.new(secret.encode(), body, getattr(hashlib, name)).hexdigest()
    if not hmac.compare_digest(_bytes(mark), want.encode()):
        raise ForgedError("signature")


def check_stamped(body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> None:
    """``X-Pult-Signature`` over ``<timestamp>.<body>`` with ``X-Pult-Timestamp`` in Unix seconds, ±300 s (ruling 6)."""
    stamp = headers.get("x-pult-timestamp", "")
    check_hmac(_bytes(stamp) + b"." + body, headers.get("x-pult-signature", ""), secret)
    check_fresh(stamp, now)


def check_fresh(stamp: str, now: datetime) -> None:
    """*stamp* is a time in Unix seconds within MAX_AGE of *now*. It proves nothing unless it is signed."""
    decimal = stamp.isascii() and stamp.isdecimal() and len(stamp) < 12
    if not decimal or abs(now.timestamp() - int(stamp)) > MAX_AGE:
        raise ForgedError("timestamp")


def signature(body: bytes, secret: str, prefix: str = "sha256=") -> str:
    """What ``check_hmac`` accepts."""
    return prefix + hmac.new(secret.encode(), body, sha256).hexdigest()


def _bytes(header: str) -> bytes:
    """A header's bytes as they came: what is no UTF-8 stands in the text as lone surrogates (aiohttp)."""
    return header.encode(errors="surrogateescape")
