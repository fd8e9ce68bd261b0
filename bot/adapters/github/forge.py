"""The Forge port over GitHub's contents API."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import gidgethub
from gidgethub.aiohttp import GitHubAPI

from bot.adapters.github.identity import Identity
from bot.adapters.github.settings import GithubSettings
from bot.adapters.github.verdicts import verdict
from bot.domain.errors import TemporaryError, UserError
from bot.ports.forge import File

AGENT = "pult"


class GithubForge:
    """Files and commits of the deployment repositories."""

    def __init__(self, settings: GithubSettings, api: GitHubAPI) -> None:
        self._api = api
        self._identity = Identity(settings, api)
        self._deadline = settings.timeout.total_seconds()

    async def read(self, repo: str, path: str, branch: str) -> File:
        """The file on *branch*, with the sha that a write has to name."""
        what = f"{repo}/{path}"
        answer = await self._ask(self._read(repo, path, branch), what)
        if not isinstance(answer, dict) or answer.get("encoding") != "base64":  # a folder, a submodule, over 1 MB
            raise UserError("GitHub refuses this: {why}", why=f"{what} is no file that pult can read")
        try:
            return File(base64.b64decode(answer["content"]).decode(), answer["sha"])
        except UnicodeDecodeError as error:
            raise UserError("GitHub refuses this: {why}", why=f"{what} is not text in UTF-8") from error

    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        """One commit that replaces one file; refused when somebody pushed meanwhile, never forced."""
        content = base64.b64encode(text.encode()).decode()
        data = {"message": message, "content": content, "sha": was.sha, "branch": branch}
        answer = await self._ask(self._write(repo, path, data), f"{repo}/{path}")
        return str(answer["commit"]["sha"])

    async def check(self) -> str:
        """Whether the credentials are taken, and what is left of a token's rate limit."""
        if self._identity.app:
            self._identity.prove()
            name = (await self._ask(self._api.getitem("/app"), "app")).get("slug", "?")
            return f"GitHub answers to the app {name}"
        answer = await self._ask(self._api.getitem("/rate_limit"), "rate_limit")
        left = answer.get("rate", {}).get("remaining", "?")
        return f"GitHub answers, {left} calls left this hour"

    async def _read(self, repo: str, path: str, branch: str) -> Any:  # noqa: ANN401 - JSON
        token = await self._identity.token(repo)
        return await self._api.getitem(f"{_contents(repo, path)}?ref={quote(branch, safe='')}", oauth_token=token)

    async def _write(self, repo: str, path: str, data: object) -> Any:  # noqa: ANN401 - JSON
        token = await self._identity.token(repo)
        return await self._api.put(_contents(repo, path), data=data, oauth_token=token)

    async def _ask(self, call: Awaitable[Any], what: str) -> Any:  # noqa: ANN401 - JSON
        try:
            async with asyncio.timeout(self._deadline):
                answer = await call
        except gidgethub.BadRequest as error:
            raise verdict(error, what) from error
        except (gidgethub.GitHubException, aiohttp.ClientError, TimeoutError, ValueError) as error:  # or no JSON
            raise TemporaryError(f"GitHub does not answer ({type(error).__name__})") from error
        if not isinstance(answer, dict | list):
            raise TemporaryError("GitHub does not answer (something in between does)")
        return answer


def _contents(repo: str, path: str) -> str:
    return f"/repos/{repo}/contents/{quote(path)}"


@asynccontextmanager
async def open_forge(settings: GithubSettings) -> AsyncGenerator[GithubForge, None]:
    """Connects at the first call."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as session:
        token = settings.token.get_secret_value() if settings.token else None
        key = settings.private_key.get_secret_value() if settings.private_key else None
        app = str(settings.app_id) if settings.app_id else None
        api = GitHubAPI(
            session, AGENT, oauth_token=token, app_id=app, private_key=key, base_url=settings.api_url.rstrip("/")
        )
        yield GithubForge(settings, api)
