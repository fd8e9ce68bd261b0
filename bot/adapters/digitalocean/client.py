"""pydo in a thread, with a deadline: the sync client costs half the memory of the async one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.domain.errors import TemporaryError, UserError

THREADS = 2


class Api:
    """Opened at the first call, since importing pydo takes time and 35 MiB."""

    def __init__(self, settings: DigitaloceanSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="digitalocean")
        self._client: Any = None

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

    def _run(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - JSON
        from azure.core.exceptions import AzureError, HttpResponseError  # noqa: PLC0415 - lazily, with pydo

        try:
            answer = work(self._opened())
        except HttpResponseError as error:
            raise _verdict(error.status_code or 0, str(error.message)[:200]) from error
        except AzureError as error:
            raise TemporaryError("DigitalOcean does not answer") from error
        if isinstance(answer, dict) and "id" in answer and "message" in answer:  # pydo hands some errors back as data
            raise _verdict(404 if answer["id"] == "not_found" else 400, str(answer["message"])[:200])
        return answer

    def _opened(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        if self._client is None:
            from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - lazily, with pydo
            from azure.core.pipeline.policies import AzureKeyCredentialPolicy  # noqa: PLC0415
            from pydo import Client  # noqa: PLC0415 - lazily

            token = self._settings.token.get_secret_value()
            # pydo's own policy refuses plain http, which the simulator and in-cluster proxies speak.
            bearer = AzureKeyCredentialPolicy(AzureKeyCredential(token), "Authorization", prefix="Bearer")
            self._client = Client(
                token=token,
                authentication_policy=bearer,
                endpoint=self._settings.api_url.rstrip("/"),
                timeout=int(self._timeout),
                retry_total=0,
            )
        return self._client


def _verdict(status: int, message: str) -> UserError | TemporaryError:
    if status == 429 or status >= 500:
        return TemporaryError(f"DigitalOcean answers {status}: {message}")
    return UserError("DigitalOcean refuses this: {why}", why=message)
