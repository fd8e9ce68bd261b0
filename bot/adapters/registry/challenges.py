"""How a registry says what it wants to know: WWW-Authenticate, RFC 9110, as registries write it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from bot.adapters.registry.settings import loopback

_PART: Final = re.compile(
    r'(?P<key>[\w-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))|(?P<scheme>[A-Za-z][\w-]*)'
)
"""A parameter, or the scheme that those after it belong to."""


@dataclass(frozen=True)
class Challenge:
    """``scheme`` is basic or bearer; the rest is the token server's."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""

    @property
    def safe(self) -> bool:
        """Whether a password may go to the token server."""
        parts = urlsplit(self.realm)
        return parts.scheme == "https" or (parts.scheme == "http" and loopback(parts.netloc))

    def url(self, scope: str) -> str:
        """Where to ask for a token; *scope* where the registry named none."""
        asked = {"service": self.service, "scope": self.scope or scope}
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"{self.realm}{'&' if '?' in self.realm else '?'}{query}" if query else self.realm


def challenge(headers: Sequence[str]) -> Challenge | None:
    """The one to answer: bearer before basic; None when neither is offered."""
    found: dict[str, dict[str, str]] = {}
    for header in headers:
        given: dict[str, str] = {}
        for part in _PART.finditer(header):
            if part["scheme"]:
                given = found.setdefault(part["scheme"].lower(), {})
            else:
                given[part["key"].lower()] = part["bare"] or re.sub(r"\\(.)", r"\1", part["quoted"])
    for scheme in ("bearer", "basic"):
        if scheme in found:
            known = {key: value for key, value in found[scheme].items() if key in {"realm", "service", "scope"}}
            return Challenge(scheme, **known)
    return None
