"""Reading JSON bodies strictly, with the place of the first fault in the error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import orjson

from bot.domain.errors import MalformedError
from bot.ports.webhooks import Delivery

WINDOW = 300
"""Seconds in which the same bytes are the same delivery (ruling 30); later ones are judged by what they say."""


def body_key(delivery: Delivery) -> str:
    """The identity of a delivery whose sender gives it none: its bytes, within WINDOW."""
    window = int(delivery.received_at.timestamp()) // WINDOW
    return f"{sha256(delivery.body).hexdigest()} {window}"


def json_object(delivery: Delivery, *, form: bool = False) -> dict[str, Any]:
    """The body as a JSON object; with *form* it may be form-encoded as ``payload=`` (GitHub)."""
    raw: bytes | str = delivery.body
    if form and delivery.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raw = parse_qs(delivery.body.decode("utf-8", "replace")).get("payload", [""])[0]
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"body: not JSON, line {error.lineno} column {error.colno}") from error
    if not isinstance(data, dict):
        raise MalformedError("body: expected a JSON object")
    return data


def text(data: Mapping[str, Any], key: str, where: str = "", *, required: bool = False) -> str:
    """The text under *key*; null and absent are empty unless *required*."""
    value = data.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise MalformedError(f"{where}{key}: expected text")
    return value


def texts(data: Mapping[str, Any], key: str, where: str = "") -> dict[str, str]:
    """The map of text to text under *key*; absent and null are empty."""
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"{where}{key}: expected an object")
    for name, item in value.items():
        if not isinstance(item, str):
            raise MalformedError(f"{where}{key}.{name}: expected text")
    return value


def moment(data: Mapping[str, Any], key: str, where: str = "") -> datetime | None:
    """The time under *key* in UTC, None when absent or year 1 (Go's zero time)."""
    value = data.get(key)
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise MalformedError(f"{where}{key}: expected a time with its zone")
        return None if at.year == 1 else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedError(f"{where}{key}: expected an RFC 3339 time") from error


def part(data: Mapping[str, Any], key: str, where: str = "", *, required: bool = False) -> dict[str, Any]:
    """The object under *key*; null and absent are empty unless *required*."""
    value = data.get(key)
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"{where}{key}: expected an object")
    return value


def whole(data: Mapping[str, Any], key: str, where: str = "") -> int:
    """The whole number under *key*; null and absent are 0."""
    value = data.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedError(f"{where}{key}: expected a whole number")
    return value
