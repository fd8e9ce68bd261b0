"""One cluster's API server, read as raw JSON: typed models of a thousand pods block the loop for half a second.

Credentials, TLS and connections are the Kubernetes library's. Its generated part, a method for each operation with the
models of what it takes and gives, is left out: 33 MB for the groups that pult asks (see operations.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import aiohttp
import orjson
import yaml

from bot.adapters.kubernetes.lines import whole_lines
from bot.adapters.kubernetes.operations import Operation, operation, parameter
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.verdicts import Answer, verdict
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.phrases import Code, phrase

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"
_BROKEN = (OSError, ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError)
"""What the client raises over a kubeconfig that is missing, no YAML, or lacks a part, besides ConfigException."""


class Api:
    """Operations by the names that the generated client has for them.

    Opened at the first call, as the library's import takes half a second; in a thread, so that cards go on meanwhile.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def call(self, group: str, method: str, *args: str, **options: object) -> dict[str, Any]:
        """``group`` is AppsV1Api, CoreV1Api…; the answer as JSON.

        UserError, DriftError, TemporaryError, or PermanentError when the kubeconfig is of no use.
        """
        return _json(await self._answered(group, method, args, options))

    async def text(self, group: str, method: str, *args: str, most: int, **options: object) -> tuple[str, bool]:
        """As :meth:`call`, for an answer that is text: its last *most* bytes, and whether there were more."""
        body = await self._answered(group, method, args, options, most)
        return body[-most:].decode("utf-8", "replace"), len(body) > most

    async def lines(
        self, group: str, method: str, *args: str, seconds: int, silence: float, **options: object
    ) -> AsyncGenerator[list[bytes], None]:
        """As :meth:`call`, for a watch of *seconds*: the lines that come together, for as long as it lasts.

        An empty list says that it stands and there is no news. TemporaryError: not a byte for *silence* seconds, which
        a server that sends bookmarks does not let pass, so the connection is dead.
        """
        function = await self._function(group, method)
        lasts = seconds + self._timeout
        try:
            async with asyncio.timeout(self._timeout):
                answer = await function(*args, watch=True, timeout_seconds=seconds, _request_timeout=lasts, **options)
            async with aclosing(self._told(answer, silence)) as told:
                async for lines in told:
                    yield lines
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            name = self._settings.name
            why = f"the watch at the API server of {name} broke off ({type(error).__name__})"
            raise TemporaryError(why, said=phrase("{cluster} does not answer", cluster=Code(name))) from error

    async def open(self) -> None:
        """Load the library and the credentials, as the first call does otherwise. Nothing is asked of the server."""
        await self._opened()

    async def close(self) -> None:
        """Close the connections, if any were opened."""
        if self._client is not None:
            await self._client.close()

    async def _answered(
        self, group: str, method: str, args: tuple[str, ...], options: dict[str, object], most: int = 0
    ) -> bytes:
        function = await self._function(group, method)
        answer, body = await self._ask(function, args, options, most)
        if answer.status == 401:  # tokens are rotated: read the source again, once (contracts.md, section 8)
            await self._load(self._client.configuration)
            answer, body = await self._ask(function, args, options, most)
        if answer.status >= 400:
            told = Answer(answer.status, answer.headers.get("Retry-After", ""), _json(body))
            raise verdict(told, self._settings.name)
        return body

    async def _function(self, group: str, method: str) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        wanted = operation(group, method)
        return partial(_request, await self._opened(), wanted)

    async def _told(self, answer: Any, silence: float) -> AsyncGenerator[list[bytes], None]:  # noqa: ANN401
        try:
            if answer.status == 401:
                await self._load(self._client.configuration)
                raise TemporaryError(f"{self._settings.name} wants new credentials")
            if answer.status >= 400:
                told = Answer(answer.status, answer.headers.get("Retry-After", ""), _json(await answer.read()))
                raise verdict(told, self._settings.name)
            async with aclosing(whole_lines(answer.content, silence)) as found:
                async for lines in found:
                    yield lines
        finally:
            answer.close()

    async def _ask(
        self, function: Callable[..., Awaitable[Any]], args: tuple[str, ...], options: dict[str, object], most: int
    ) -> tuple[Any, bytes]:
        """The answer and its body; with *most* only the end of it, one byte more than those where it is longer."""
        try:
            async with asyncio.timeout(self._timeout):
                answer = await function(*args, _request_timeout=self._timeout, **options)
                body = await _end(answer, most) if most else await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            name = self._settings.name
            why = f"the API server of {name} does not answer ({type(error).__name__})"
            raise TemporaryError(why, said=phrase("{cluster} does not answer", cluster=Code(name))) from error
        return answer, body

    async def _opened(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        async with self._opening:
            if self._client is None:
                configuration = (await asyncio.to_thread(_library, "Configuration"))()
                await self._load(configuration)
                self._client = (await asyncio.to_thread(_library, "ApiClient"))(configuration)
            return self._client

    async def _load(self, configuration: Any) -> None:  # noqa: ANN401 - the SDK is imported lazily
        """Address and credentials into *configuration*. A kubeconfig may run a program for them, so it has a limit."""
        from kubernetes.aio import config  # noqa: PLC0415 - lazily

        name, path = self._settings.name, self._settings.kubeconfig
        try:
            if path is None:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
                return
            async with asyncio.timeout(self._timeout):
                await config.load_kube_config(  # type: ignore[no-untyped-call]
                    str(path), self._settings.context or None, configuration, persist_config=False
                )
        except TimeoutError as error:
            raise TemporaryError(f"cluster {name}: its credentials did not come in time") from error
        except (config.ConfigException, *_BROKEN) as error:
            source = f"kubeconfig {path}" if path else "service account"
            raise PermanentError(f"cluster {name}: can't use the {source}: {_reason(error)}") from error


async def _request(
    client: Any,  # noqa: ANN401 - the SDK is imported lazily
    wanted: Operation,
    *places: str,
    body: object = None,
    _content_type: str = "",
    _request_timeout: float,
    **options: object,
) -> Any:  # noqa: ANN401 - aiohttp's response, as the SDK hands it over
    """The answer, unread. The SDK quotes the places and the options, and adds the credentials of the moment."""
    headers = {"Accept": "application/json"} | ({"Content-Type": _content_type} if _content_type else {})
    where = dict(zip(wanted.places, places, strict=True))
    query = [(parameter(name), value) for name, value in options.items()]
    asked = await client.param_serialize(
        wanted.verb, wanted.path, where, query, headers, body, auth_settings=["BearerToken"]
    )
    return (await client.call_api(*asked, _request_timeout=_request_timeout)).response


def _library(name: str) -> Any:  # noqa: ANN401 - the SDK is imported lazily
    """A class of the SDK, which imports the module of each at its first use."""
    from kubernetes.aio import client  # noqa: PLC0415 - lazily

    return getattr(client, name)


def _reason(error: Exception) -> str:
    """Never a parser's words, nor what follows a brace: both may quote the file, and the file holds keys."""
    from kubernetes.aio import config  # noqa: PLC0415 - lazily

    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, config.ConfigException):
        return str(error).partition("{")[0][:200]
    return "it is not a valid kubeconfig"


async def _end(answer: Any, most: int) -> bytes:  # noqa: ANN401 - aiohttp's response, as the SDK hands it over
    """The end of a body of any length, in bounded memory."""
    kept = bytearray()
    async for part in answer.content.iter_any():
        kept += part
        if len(kept) > 2 * most:
            del kept[: len(kept) - most - 1]
    return bytes(kept[-most - 1 :])


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except ValueError:
        return {"message": body[:200].decode("utf-8", "replace")}
    return data if isinstance(data, dict) else {}
