"""What GitHub's refusals mean (contracts.md, section 5). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from gidgethub import BadRequest

from bot.domain.errors import DriftError, RateLimitedError, TemporaryError, UserError
from bot.domain.phrases import Code

SECONDARY: Final = 60.0
"""Seconds to wait when no header says how long: docs.github.com, rate limits for the REST API."""


def verdict(error: BadRequest, what: str) -> UserError | TemporaryError:
    """The error a 4xx stands for; *what* names the thing that was asked for."""
    status, why = int(error.status_code), str(error)[:200]
    if _limited(status, why, error.headers):
        return RateLimitedError("GitHub's rate limit is spent", _delay(error.headers))
    match status:
        case 409:
            return DriftError("Somebody pushed to {path} meanwhile.", path=Code(what))
        case 401 | 403:
            return UserError("GitHub does not allow pult to do this: {why}", why=why)
        case 404:
            return UserError("GitHub has no {path}, or pult's token may not see it.", path=Code(what))
        case _:
            return UserError("GitHub refuses this: {why}", why=why)


def _limited(status: int, why: str, headers: Mapping[str, str]) -> bool:
    """The primary limit has nothing remaining; the secondary one may give no header at all, only its words."""
    if status == 429:
        return True
    spent = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return status == 403 and (spent or "rate limit" in why.lower())


def _delay(headers: Mapping[str, str]) -> float:
    """Seconds until it is worth trying again, counted by GitHub's own clock."""
    if (asked := headers.get("retry-after", "")).isdecimal():
        return float(asked)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not reset.isdecimal():
        return SECONDARY
    now = _date(headers.get("date", ""))
    return max(1.0, int(reset) - now.timestamp()) if now else SECONDARY


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
