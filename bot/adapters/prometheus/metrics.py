"""The Metrics port over prometheus-api-client, in a thread, with a deadline."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.errors import PermanentError, TemporaryError
from bot.ports.metrics import Reading, Sample, Series

log = logging.getLogger(__name__)
T = TypeVar("T")
THREADS = 8
GRACE = 0.5
"""Seconds the thread may outlive its request's own timeout before the answer is given up."""


class PrometheusMetrics:
    """One Prometheus. Warnings are caught from the raw answer, since the client drops them."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="prometheus")
        self._local = threading.local()

    async def query(self, promql: str, at: datetime | None = None) -> Reading:
        """An instant query. A scalar is one sample without labels."""
        moment = {"time": str(at.timestamp())} if at else {}
        return await self._run(lambda: self._query(promql, moment))

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """A range query; missing steps stay missing."""
        return await self._run(lambda: self._span(promql, start, end, step))

    async def check(self) -> str:
        """Which Prometheus answers."""
        reading = await self.query("vector(1)")
        return f"{self._settings.url} answers" if reading.samples else f"{self._settings.url} answers strangely"

    def close(self) -> None:
        """Let no more queries start; those under way end by their own timeouts."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        from prometheus_api_client.exceptions import PrometheusApiClientException  # noqa: PLC0415 - lazily
        from requests import RequestException  # noqa: PLC0415 - lazily

        try:
            async with asyncio.timeout(self._timeout + GRACE):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except TimeoutError as error:
            raise TemporaryError("Prometheus did not answer in time") from error
        except PrometheusApiClientException as error:
            raise _verdict(str(error)) from error
        except (RequestException, ValueError, KeyError) as error:
            raise TemporaryError("Prometheus does not answer") from error

    def _query(self, promql: str, moment: dict[str, str]) -> Reading:
        client = self._client()
        self._local.warnings = ()
        result = client.custom_query(promql, params={**moment, "timeout": f"{self._timeout:g}s"})
        return Reading(tuple(_samples(result)), self._local.warnings)

    def _span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        result = self._client().custom_query_range(promql, start, end, f"{step.total_seconds():g}s")
        return tuple(
            Series(item["metric"], tuple((_at(stamp), float(value)) for stamp, value in item.get("values", ())))
            for item in result
        )

    def _client(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        """One client and one connection pool a thread."""
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._opened()
        return client

    def _opened(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        import requests  # noqa: PLC0415 - lazily
        from prometheus_api_client import PrometheusConnect  # noqa: PLC0415 - lazily
        from urllib3.util.retry import Retry  # noqa: PLC0415 - lazily

        session = requests.Session()
        session.trust_env = False
        session.hooks["response"].append(self._note_warnings)
        token = self._settings.token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else None
        return PrometheusConnect(
            self._settings.url.rstrip("/"), headers, retry=Retry(total=0), session=session, timeout=self._timeout
        )

    def _note_warnings(self, response: Any, **_: object) -> None:  # noqa: ANN401 - requests' hook
        if response.status_code == 200:
            self._local.warnings = tuple(str(text) for text in response.json().get("warnings") or ())


def _samples(result: list[Any]) -> list[Sample]:
    if len(result) == 2 and not isinstance(result[0], dict):  # a scalar: one [time, value] pair
        return [Sample({}, float(result[1]))]
    return [Sample(item["metric"], float(item["value"][1])) for item in result if "value" in item]


def _at(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def _verdict(text: str) -> PermanentError | TemporaryError:
    """400 and 422 are the query's fault; anything else may pass."""
    if "Code 400" in text or "Code 422" in text:
        return PermanentError(f"Prometheus refuses the query: {text[:300]}")
    return TemporaryError(f"Prometheus can't answer: {text[:200]}")


@asynccontextmanager
async def open_metrics(settings: PrometheusSettings) -> AsyncGenerator[PrometheusMetrics, None]:
    """Connects at the first query."""
    metrics = PrometheusMetrics(settings)
    try:
        yield metrics
    finally:
        metrics.close()
