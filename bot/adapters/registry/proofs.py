"""Who pult is at each registry: a password where one is wanted, or a token that is fetched for it."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from bot.adapters.registry.challenges import Challenge, challenge
from bot.adapters.registry.settings import RegistrySettings
from bot.adapters.registry.verdicts import denied, verdict
from bot.domain.errors import PermanentError, TemporaryError

LIFE: Final = 60.0
"""Seconds a token lives whose server does not say: distribution/distribution docs, token authentication."""
MARGIN: Final = 10.0
"""Seconds before its end from which a token is not used any more: ours."""


@dataclass(frozen=True)
class _Proof:
    header: str
    until: float


class Proofs:
    """The Authorization header for one repository of one registry, kept while it is good."""

    def __init__(self, registries: Mapping[str, RegistrySettings], session: aiohttp.ClientSession) -> None:
        self._registries, self._session = registries, session
        self._known: dict[tuple[str, str], _Proof] = {}

    def known(self, host: str, name: str) -> dict[str, str]:
        """The header that worked before, while it is good; else none."""
        proof = self._known.get((host, name))
        if proof is None or proof.until <= time.monotonic():
            return {}
        return {"Authorization": proof.header}

    async def answer(self, host: str, name: str, asked: aiohttp.ClientResponse) -> dict[str, str]:
        """The header for what *asked* wants to know. UserError: there is nothing to show, or it is not taken."""
        wanted = challenge(asked.headers.getall("WWW-Authenticate", []))
        if wanted is None:
            raise denied(host, name)
        if wanted.scheme == "basic":
            proof = _Proof(self._basic(host) or "", float("inf"))
        else:
            proof = await self._token(host, name, wanted)
        if not proof.header:
            raise denied(host, name)
        self._known[host, name] = proof
        return {"Authorization": proof.header}

    async def _token(self, host: str, name: str, wanted: Challenge) -> _Proof:
        basic = self._basic(host)
        if not wanted.safe:
            raise PermanentError(f"registry {host}: its token server has no https:// address")
        headers = {"Authorization": basic} if basic else {}
        scope = f"repository:{name}:pull" if name else ""
        async with self._session.get(wanted.url(scope), headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                raise verdict(answer.status, answer.headers, host, name)
            body = await answer.json(content_type=None)
        token = (body.get("token") or body.get("access_token")) if isinstance(body, dict) else None
        if not isinstance(token, str):
            raise TemporaryError(f"The token server of {host} does not answer (something in between does)")
        life = body.get("expires_in")
        seconds = float(life) if isinstance(life, int | float) else LIFE
        return _Proof(f"Bearer {token}", time.monotonic() + seconds - MARGIN)

    def _basic(self, host: str) -> str | None:
        found = self._registries.get(host)
        if found is None or found.password is None:
            return None
        pair = f"{found.username}:{found.password.get_secret_value()}"
        return "Basic " + b64encode(pair.encode()).decode()
