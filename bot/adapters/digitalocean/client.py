"""pydo in a thread, with a deadline: the sync client costs half the memory of the async one."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from decimal import InvalidOperation
from typing import Any, Final, TypeVar

from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.domain.errors import RateLimitedError, TemporaryError, UserError

T = TypeVar("T")
THREADS = 4
"""Calls at once: the firewalls of a pair and what stands behind them are asked for together."""
LIMITED = 60.0
"""Seconds to wait when no header says how long: the shorter of the two limits is per minute."""
NONSENSE: Final = (KeyError, IndexError, TypeError, AttributeError, ValueError, InvalidOperation)
"""What reading an answer raises that is none of DigitalOcean's."""


class Api:
    """Opened at the first call, since importing pydo takes time and 35 MiB."""

    def __init__(self, settings: DigitaloceanSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="digitalocean")
        self._client: Any = None
        self._opening = threading.Lock()

    async def call(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - JSON
        """*work* gets the pydo client. UserError: refused. TemporaryError: no answer, 429 or 5xx."""
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, work)
        except TimeoutError as error:
            raise TemporaryError("DigitalOcean did not answer in time") from error

    def close(self) -> None:
        """Let no more calls start."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def _run(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - JSON
        from azure.core.exceptions import AzureError, HttpResponseError  # noqa: PLC0415 - lazily, with pydo

        # Causes are cut off: azure's errors quote the whole answer, and answers hold connection strings.
        try:
            answer = work(self._opened())
        except HttpResponseError as error:
            status, headers = error.status_code or 0, getattr(error.response, "headers", {})
            if status < 400:  # DecodeError: a success that is no JSON
                raise TemporaryError(f"DigitalOcean does not answer ({type(error).__name__})") from None
            raise verdict(status, _said(error), headers) from None
        except (AzureError, ValueError) as error:
            raise TemporaryError(f"DigitalOcean does not answer ({type(error).__name__})") from None
        if answer is not None and not isinstance(answer, dict):
            raise TemporaryError("DigitalOcean does not answer (something in between does)")
        if answer and "id" in answer and "message" in answer:  # pydo hands some errors back as data
            raise verdict(404 if answer["id"] == "not_found" else 400, str(answer["message"])[:200], {})
        return answer

    def _opened(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        with self._opening:
            if self._client is None:
                self._client = self._open()
            return self._client

    def _open(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - lazily, with pydo
        from azure.core.pipeline.policies import AzureKeyCredentialPolicy  # noqa: PLC0415
        from pydo import Client  # noqa: PLC0415 - lazily

        token = self._settings.token.get_secret_value()
        # pydo's own policy refuses plain http, which the simulator and in-cluster proxies speak.
        bearer = AzureKeyCredentialPolicy(AzureKeyCredential(token), "Authorization", prefix="Bearer")
        return Client(
            token=token,
            authentication_policy=bearer,
            endpoint=self._settings.api_url.rstrip("/"),
            timeout=math.ceil(self._timeout),
            connection_timeout=self._timeout,
            read_timeout=self._timeout,  # else a silent server keeps the thread for five minutes
            retry_total=0,
        )


def _said(error: Any) -> str:  # noqa: ANN401 - azure's HttpResponseError, imported lazily
    """Only the ``message`` of an error body: other parts of an answer may hold connection strings."""
    try:
        return str(json.loads(error.response.text())["message"])[:200]
    except (AttributeError, ValueError, KeyError, TypeError):
        return str(error.reason or "no reason given")


def verdict(status: int, message: str, headers: Mapping[str, str]) -> UserError | TemporaryError:
    """What a refusal means. 5000 calls an hour and 250 a minute are allowed (contracts.md, section 11)."""
    if status == 429:
        delay = headers.get("Retry-After", "")
        text = f"DigitalOcean's rate limit is spent: {message}"
        return RateLimitedError(text, float(delay) if delay.isdecimal() else LIMITED)
    if status >= 500:
        return TemporaryError(f"DigitalOcean answers {status}: {message}")
    return UserError("DigitalOcean refuses this: {why}", why=message)


def read(what: str, reading: Callable[[], T]) -> T:
    """What *reading* finds in an answer. TemporaryError: it is no answer of DigitalOcean's about its *what*."""
    with suppress(*NONSENSE):
        return reading()
    raise TemporaryError(f"DigitalOcean does not answer (its {what} can't be read)")


@asynccontextmanager
async def open_api(settings: DigitaloceanSettings) -> AsyncGenerator[Api, None]:
    """Connects at the first call."""
    api = Api(settings)
    try:
        yield api
    finally:
        api.close()
