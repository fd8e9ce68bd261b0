"""GitHub as a whole: the Forge and the Pipeline port over one session."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from bot.adapters.github.caller import NO_ANSWER, Api
from bot.adapters.github.gates import Gates
from bot.adapters.github.pulls import Pulls
from bot.adapters.github.records import Records
from bot.adapters.github.settings import GithubSettings
from bot.domain.errors import TemporaryError
from bot.ports.clock import Clock

AGENT: Final = "pult"


class GithubForge(Pulls, Gates, Records):
    """Deployment repositories, their pipelines and their records."""

    async def check(self) -> str:
        """Whether the credentials are taken, and what is left of a token's rate limit."""
        if self._identity.app:
            self._identity.prove()
            app = await self._answer(self._api.getitem("/app"), "app")
            return f"GitHub answers to the app {app.get('slug', '?')}"
        answer = await self._answer(self._api.getitem("/rate_limit"), "rate_limit")
        if not isinstance(answer, dict):
            raise TemporaryError(NO_ANSWER)
        left = answer.get("rate", {}).get("remaining", "?")
        return f"GitHub answers, {left} calls left this hour"


@asynccontextmanager
async def open_forge(settings: GithubSettings, clock: Clock) -> AsyncGenerator[GithubForge, None]:
    """Connects at the first call."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as session:
        token = settings.token.get_secret_value() if settings.token else None
        key = settings.private_key.get_secret_value() if settings.private_key else None
        app = str(settings.app_id) if settings.app_id else None
        api = Api(session, AGENT, oauth_token=token, app_id=app, private_key=key, base_url=settings.api_url.rstrip("/"))
        yield GithubForge(settings, api, clock)
