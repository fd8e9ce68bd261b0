"""Who pult is at GitHub: the owner of a token, or an app, which needs a token of its installation for each owner."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from gidgethub.aiohttp import GitHubAPI

from bot.adapters.github.settings import GithubSettings
from bot.domain.errors import PermanentError

LIFE: Final = 50 * 60.0
"""Seconds an installation token is used; GitHub lets it live for an hour."""


@dataclass(frozen=True)
class _Token:
    text: str
    until: float


class Identity:
    """Gives the token to call with. An app's own JWT may not touch repositories."""

    def __init__(self, settings: GithubSettings, api: GitHubAPI) -> None:
        self._app, self._key, self._api = settings.app_id, settings.private_key, api
        self._tokens: dict[str, _Token] = {}
        self._fetching = asyncio.Lock()

    @property
    def app(self) -> bool:
        """Whether pult is an app."""
        return self._key is not None

    async def token(self, repo: str) -> str | None:
        """For *repo*; None: the one the client has. gidgethub's errors; PermanentError: the key is no PEM."""
        if self._key is None:
            return None
        self.prove()
        owner = repo.partition("/")[0]
        async with self._fetching:
            known = self._tokens.get(owner)
            if known is None or known.until <= time.monotonic():
                known = self._tokens[owner] = _Token(await self._fetch(repo), time.monotonic() + LIFE)
            return known.text

    def prove(self) -> None:
        """PermanentError unless the app's key can sign."""
        from gidgethub.apps import get_jwt  # noqa: PLC0415 - imports cryptography
        from jwt import PyJWTError  # noqa: PLC0415

        try:
            get_jwt(app_id=str(self._app), private_key=self._secret)
        except (PyJWTError, ValueError, TypeError) as error:
            raise PermanentError("github: private_key is not an RSA key in PEM") from error

    async def _fetch(self, repo: str) -> str:
        from gidgethub.apps import get_installation_access_token  # noqa: PLC0415 - imports cryptography

        installation = await self._api.getitem(f"/repos/{repo}/installation")
        answer = await get_installation_access_token(
            self._api, installation_id=str(installation["id"]), app_id=str(self._app), private_key=self._secret
        )
        return str(answer["token"])

    @property
    def _secret(self) -> str:
        return self._key.get_secret_value() if self._key else ""
