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
MODIFIED: Final = 2.0
"""Seconds until a merge that met another one is worth trying again: ours."""

_PROTECTED: Final = ("could not update file", "could not create file", "rule violations", "protected branch")
"""A 409 that no re-reading mends: the branch takes no commits from this token."""
_MOVED: Final = ("does not match", "not a fast forward", "reference cannot be updated")
_UNKNOWN: Final = ("no commit found", "no ref found")


class MissingError(UserError):
    """It is not there, or the token may not see it: GitHub does not tell these apart."""


class MergeMethodError(UserError):
    """The repository does not take this kind of merge."""


def verdict(error: BadRequest, what: str) -> UserError | TemporaryError:
    """The error a 4xx stands for; *what* names the thing that was asked for."""
    status, why = int(error.status_code), str(error)[:200]
    if _limited(status, why, error.headers):
        return RateLimitedError("GitHub's rate limit is spent", _delay(error.headers))
    refused = UserError("GitHub refuses this: {why}", why=why)
    match status:
        case 401 | 403:
            return UserError("GitHub does not allow pult to do this: {why}", why=why)
        case 404:
            return _missing(what)
        case 405:
            return _unmergeable(why, what)
        case 409:
            return refused if _says(why, _PROTECTED) else _drift(what)
        case 422 if _says(why, _UNKNOWN):
            return _missing(what)
        case 422 if _says(why, _MOVED):
            return _drift(what)
        case _:
            return refused


def _missing(what: str) -> MissingError:
    return MissingError("GitHub has no {path}, or pult's token may not see it.", path=Code(what))


def _drift(what: str) -> DriftError:
    return DriftError("Somebody pushed to {path} meanwhile.", path=Code(what))


def _unmergeable(why: str, what: str) -> UserError | TemporaryError:
    """Of a merge: GitHub has one status for everything that stands in its way."""
    if _says(why, ("base branch was modified",)):
        return RateLimitedError("GitHub is still at another merge", MODIFIED)
    if _says(why, ("not mergeable", "merge conflict")):
        return DriftError("{pull} does not merge cleanly any more.", pull=Code(what))
    if _says(why, ("not allowed on this repository",)):
        return MergeMethodError("GitHub refuses this: {why}", why=why)
    return UserError("GitHub refuses this: {why}", why=why)


def _says(why: str, words: tuple[str, ...]) -> bool:
    return any(word in why.lower() for word in words)


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
