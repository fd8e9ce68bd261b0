"""One call to GitHub: with the token of whoever pult is there, a deadline, and errors that are verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

import aiohttp
import gidgethub
from gidgethub.aiohttp import GitHubAPI

from bot.adapters.github.identity import Identity
from bot.adapters.github.settings import GithubSettings
from bot.adapters.github.verdicts import verdict
from bot.domain.errors import AmbiguousError, TemporaryError
from bot.ports.clock import Clock

NO_CONTENT: Final = 204
PER_PAGE: Final = 100
"""Items of one page, the most that GitHub gives: docs.github.com, using pagination in the REST API."""
NO_ANSWER: Final = "GitHub does not answer (something in between does)"
_END: Final = object()

Query: TypeAlias = Mapping[str, str | int]
Method: TypeAlias = Literal["POST", "PUT", "PATCH"]


class Api(GitHubAPI):
    """gidgethub's client, which takes any empty body for an answer; only a 204 is one."""

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        status, answered, content = await super()._request(method, url, headers, body)
        if 200 <= status < 300 and status != NO_CONTENT and not content:
            raise aiohttp.ClientPayloadError("something in between answers")
        return status, answered, content


class Caller:
    """What every part of the adapter calls through. Nothing is tried twice here: the caller knows what is safe.

    Of every call: UserError and its kinds (see ``verdicts``) when GitHub refuses, TemporaryError when it does not
    answer in time, AmbiguousError when that was a write.
    """

    def __init__(self, settings: GithubSettings, api: GitHubAPI, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._identity = Identity(settings, api)
        self._deadline = settings.timeout.total_seconds()

    async def _get(self, repo: str, path: str, what: str, query: Query | None = None) -> Any:  # noqa: ANN401 - JSON
        async def call() -> Any:  # noqa: ANN401
            return await self._api.getitem(_url(repo, path, query), oauth_token=await self._identity.token(repo))

        answer = await self._answer(call(), what)
        if not isinstance(answer, dict | list):
            raise TemporaryError(NO_ANSWER)
        return answer

    async def _pages(
        self, repo: str, path: str, what: str, query: Query | None = None, *, key: str = "items", most: int = 1000
    ) -> list[Any]:
        """Up to *most* items of all pages; *key* names the list where a page is an object. Each page has its deadline.

        An answer without such a list is TemporaryError.
        """
        token = await self._answer(self._identity.token(repo), what)
        url = _url(repo, path, {"per_page": PER_PAGE, **(query or {})})
        items = self._api.getiter(url, oauth_token=token, iterable_key=key)
        found: list[Any] = []
        while len(found) < most:
            item = await self._answer(anext(items, _END), what)
            if item is _END:
                break
            if not isinstance(item, dict):
                raise TemporaryError(NO_ANSWER)
            found.append(item)
        await items.aclose()
        return found

    async def _send(self, method: Method, repo: str, path: str, data: object, what: str) -> Mapping[str, Any]:
        """A write; nothing in the answer when it has no content."""

        async def call() -> Any:  # noqa: ANN401
            url, token = _url(repo, path), await self._identity.token(repo)
            match method:
                case "POST":
                    return await self._api.post(url, data=data, oauth_token=token)
                case "PUT":
                    return await self._api.put(url, data=data, oauth_token=token)
                case _:
                    return await self._api.patch(url, data=data, oauth_token=token)

        try:
            answer = await self._answer(call(), what)
        except TemporaryError as error:
            if type(error) is TemporaryError:
                raise AmbiguousError(str(error)) from error
            raise
        if not isinstance(answer, dict | list | None):
            raise AmbiguousError(NO_ANSWER)
        return answer if isinstance(answer, dict) else {}

    async def _answer(self, call: Awaitable[Any], what: str) -> Any:  # noqa: ANN401 - JSON
        try:
            async with asyncio.timeout(self._deadline):
                answer = await call
        except gidgethub.BadRequest as error:
            raise verdict(error, what) from error
        except (gidgethub.GitHubException, aiohttp.ClientError, TimeoutError, ValueError) as error:  # or no JSON
            raise TemporaryError(f"GitHub does not answer ({type(error).__name__})") from error
        return answer


def _url(repo: str, path: str, query: Query | None = None) -> str:
    return f"/repos/{repo}{path}" + (f"?{urlencode(query)}" if query else "")


def part(text: str) -> str:
    """*text* as one part of a path: a branch or a tag may have slashes."""
    return quote(text, safe="")
