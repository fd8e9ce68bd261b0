"""What a registry's refusals mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.phrases import Code

LIMITED: Final = 60.0
"""Seconds to wait when a 429 does not say how long: ours."""


def denied(host: str, name: str) -> UserError:
    """*name* is empty where no repository was asked for."""
    if not name:
        return UserError("The registry {host} does not take pult's credentials.", host=Code(host))
    return UserError("The registry {host} does not let pult see {image}.", host=Code(host), image=Code(name))


def verdict(status: int, headers: Mapping[str, str], host: str, name: str) -> UserError | TemporaryError:
    """The error that an answer other than 2xx stands for; *name* is what was asked for."""
    match status:
        case 401 | 403:
            return denied(host, name)
        case 404:
            return UserError(
                "The registry {host} has no {image}, or pult's credentials may not see it.",
                host=Code(host),
                image=Code(name),
            )
        case 429:
            asked = headers.get("Retry-After", "")
            return RateLimitedError(
                f"The registry {host} wants fewer questions", float(asked) if asked.isdecimal() else LIMITED
            )
        case _ if status >= 500:
            return TemporaryError(f"The registry {host} does not answer (HTTP {status})")
        case _:
            return UserError(
                "The registry {host} refuses to show {image}: HTTP {status}.",
                host=Code(host),
                image=Code(name),
                status=str(status),
            )
