"""One cluster's API server, read as raw JSON: typed models of a thousand pods block the loop for half a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.errors import DriftError, PermanentError, TemporaryError, UserError
from bot.domain.phrases import Code

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class Api:
    """Calls of the generated client by name; opened at the first call, since its import costs 0.4 s and 34 MiB."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def call(self, group: str, method: str, *args: str, **options: object) -> dict[str, Any]:
        """``group`` is AppsV1Api, CoreV1Api…; the answer as JSON. UserError, DriftError or TemporaryError otherwise."""
        from kubernetes.aio import client  # noqa: PLC0415 - lazily

        api = getattr(client, group)(await self._opened())
        function = getattr(api, f"{method}_without_preload_content")
        try:
            async with asyncio.timeout(self._timeout):
                answer = await function(*args, _request_timeout=self._timeout, **options)
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TemporaryError(f"the API server of {self._settings.name} does not answer") from error
        status = _json(body)
        if answer.status >= 400:
            raise _verdict(answer.status, status, self._settings.name)
        return status

    async def close(self) -> None:
        """Close the connections, if any were opened."""
        if self._client is not None:
            await self._client.close()

    async def _opened(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        async with self._opening:
            if self._client is None:
                self._client = await self._open()
            return self._client

    async def _open(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        from kubernetes.aio import client, config  # noqa: PLC0415 - lazily

        configuration = client.Configuration()
        try:
            if self._settings.kubeconfig:
                await config.load_kube_config(  # type: ignore[no-untyped-call]
                    str(self._settings.kubeconfig), self._settings.context or None, configuration
                )
            else:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (config.ConfigException, OSError) as error:
            raise PermanentError(f"cluster {self._settings.name}: {error}") from error
        return client.ApiClient(configuration)


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {"message": body[:200].decode("utf-8", "replace")}
    return data if isinstance(data, dict) else {}


def _verdict(code: int, status: Mapping[str, Any], cluster: str) -> Exception:
    """What an error answer means (kind Status, apimachinery pkg/api/errors)."""
    message = str(status.get("message", ""))[:300]
    match code:
        case 404:
            details = status.get("details") or {}
            return UserError(
                "There is no {kind} {name} in {cluster}.",
                kind=str(details.get("kind", "object")), name=Code(str(details.get("name", "?"))), cluster=cluster,
            )  # fmt: skip
        case 401 | 403:
            return UserError("{cluster} does not allow pult to do this: {why}", cluster=cluster, why=message)
        case 409:
            return DriftError("Somebody changed it at the same moment in {cluster}.", cluster=cluster)
        case 429 | 500 | 502 | 503 | 504:
            return TemporaryError(f"the API server of {cluster} answers {code}: {message}")
        case _:
            return UserError("{cluster} refuses this: {why}", cluster=cluster, why=message or str(code))
