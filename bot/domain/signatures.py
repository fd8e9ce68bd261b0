"""Proofs of origin: shared secrets and HMAC signatures, compared in constant time. Raises ForgedError."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from bot.domain.errors import ForgedError

MAX_AGE = 300
"""Seconds a signed timestamp may differ from ours (interface.md, ruling 6; Slack uses the same)."""


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


def check_hmac(body: bytes, given: str, secret: str, prefix: str = "sha256=") -> None:
    """``<prefix><hex>`` of HMAC-SHA256 over *body*."""
    want = prefix + hmac.new(secret.encode(), body, sha256).hexdigest()
    if not secret or not hmac.compare_digest(_bytes(given.strip().lower()), want.encode()):
        raise ForgedError("signature")


def check_stamped(body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> None:
    """``X-Pult-Signature`` over ``<timestamp>.<body>`` with ``X-Pult-Timestamp`` in Unix seconds, ±300 s (ruling 6)."""
    stamp = headers.get("x-pult-timestamp", "")
    fresh = stamp.isascii() and stamp.isdecimal() and len(stamp) < 12
    check_hmac(_bytes(stamp) + b"." + body, headers.get("x-pult-signature", ""), secret)
    if not fresh or abs(now.timestamp() - int(stamp)) > MAX_AGE:
        raise ForgedError("timestamp")


def _bytes(header: str) -> bytes:
    """A header's bytes as they came: what is no UTF-8 stands in the text as lone surrogates (aiohttp)."""
    return header.encode(errors="surrogateescape")
