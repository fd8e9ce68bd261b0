"""The Forge port over GitHub's contents API."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import gidgethub
from gidgethub.aiohttp import GitHubAPI

from bot.adapters.github.settings import GithubSettings
from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.domain.phrases import Code
from bot.ports.forge import File

T = TypeVar("T")
AGENT = "pult"


class GithubForge:
    """Files and commits of the deployment repositories."""

    def __init__(self, settings: GithubSettings, api: GitHubAPI) -> None:
        self._api = api
        self._deadline = settings.timeout.total_seconds()

    async def read(self, repo: str, path: str, branch: str) -> File:
        """The file on *branch*, with the sha that a write has to name."""
        answer = await self._ask(self._api.getitem(f"{_contents(repo, path)}?ref={quote(branch)}"), f"{repo}/{path}")
        return File(base64.b64decode(answer["content"]).decode(), answer["sha"])

    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        """One commit that replaces one file; refused when somebody pushed meanwhile, never forced."""
        content = base64.b64encode(text.encode()).decode()
        data = {"message": message, "content": content, "sha": was.sha, "branch": branch}
        answer = await self._ask(self._api.put(_contents(repo, path), data=data), f"{repo}/{path}")
        return str(answer["commit"]["sha"])

    async def check(self) -> str:
        """Whether the token is taken, and what is left of its rate limit."""
        answer = await self._ask(self._api.getitem("/rate_limit"), "rate_limit")
        left = answer.get("rate", {}).get("remaining", "?")
        return f"GitHub answers, {left} calls left this hour"

    async def _ask(self, call: Awaitable[T], what: str) -> Any:  # noqa: ANN401 - JSON
        try:
            async with asyncio.timeout(self._deadline):
                return await call
        except gidgethub.RateLimitExceeded as error:
            raise TemporaryError("GitHub's rate limit is spent", delay=60) from error
        except gidgethub.BadRequest as error:
            raise _verdict(error, what) from error
        except (gidgethub.GitHubException, aiohttp.ClientError, TimeoutError) as error:
            raise TemporaryError("GitHub does not answer") from error


def _contents(repo: str, path: str) -> str:
    return f"/repos/{repo}/contents/{quote(path)}"


def _verdict(error: gidgethub.BadRequest, what: str) -> UserError:
    match int(error.status_code):
        case 409:
            return DriftError("Somebody pushed to {path} meanwhile.", path=Code(what))
        case 401 | 403:
            return UserError("GitHub does not allow pult to do this: {why}", why=str(error)[:200])
        case 404:
            return UserError("GitHub has no {path}, or pult's token may not see it.", path=Code(what))
        case _:
            return UserError("GitHub refuses this: {why}", why=str(error)[:200])


@asynccontextmanager
async def open_forge(settings: GithubSettings) -> AsyncGenerator[GithubForge, None]:
    """Connects at the first call. With app_id and private_key gidgethub signs its own JWTs."""
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as session:
        token = settings.token.get_secret_value() if settings.token else None
        key = settings.private_key.get_secret_value() if settings.private_key else None
        app = str(settings.app_id) if settings.app_id else None
        api = GitHubAPI(
            session, AGENT, oauth_token=token, app_id=app, private_key=key, base_url=settings.api_url.rstrip("/")
        )
        yield GithubForge(settings, api)
