"""The Metrics port over prometheus-api-client, in a thread, with a deadline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.adapters.prometheus.answers import samples, series, verdict, warnings
from bot.adapters.prometheus.settings import PrometheusSettings
from bot.domain.errors import TemporaryError
from bot.ports.metrics import Reading, Series

T = TypeVar("T")
THREADS = 8
GRACE = 0.5
"""Seconds the thread may outlive its request's own timeout before the answer is given up."""


class PrometheusMetrics:
    """One Prometheus. The raw answer is caught on its way, since the client drops its type and its warnings."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._timeout = settings.timeout.total_seconds()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="prometheus")
        self._local = threading.local()
        self._opened: list[Any] = []

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
        for client in self._opened:
            client.close()

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._timeout + GRACE):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._try, work)
        except TimeoutError as error:
            raise TemporaryError("Prometheus did not answer in time") from error

    def _try(self, work: Callable[[], T]) -> T:
        from prometheus_api_client.exceptions import PrometheusApiClientException  # noqa: PLC0415 - lazily
        from requests import RequestException  # noqa: PLC0415 - lazily

        try:
            return work()
        except PrometheusApiClientException as error:
            raise verdict(self._local.response) from error
        except (
            RequestException,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:  # none, or not its envelope
            raise TemporaryError(f"Prometheus does not answer ({type(error).__name__})") from error

    # Durations go as plain seconds: Prometheus refuses "0.5s" (model.ParseDuration takes whole numbers only).

    def _query(self, promql: str, moment: dict[str, str]) -> Reading:
        self._client().custom_query(promql, params={**moment, "timeout": str(self._timeout)})
        answer = self._local.response.json()
        return Reading(samples(answer["data"]), warnings(answer))

    def _span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        limit = {"timeout": str(self._timeout)}
        return series(self._client().custom_query_range(promql, start, end, str(step.total_seconds()), params=limit))

    def _client(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        """One client and one connection pool a thread."""
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._open()
            self._opened.append(client)
        return client

    def _open(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        import requests  # noqa: PLC0415 - lazily
        from prometheus_api_client import PrometheusConnect  # noqa: PLC0415 - lazily
        from urllib3.util.retry import Retry  # noqa: PLC0415 - lazily

        session = requests.Session()
        session.trust_env = False
        session.hooks["response"].append(self._note)
        token = self._settings.token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else None
        return PrometheusConnect(
            self._settings.url.rstrip("/"), headers, retry=Retry(total=0), session=session, timeout=self._timeout
        )

    def _note(self, response: Any, **_: object) -> None:  # noqa: ANN401 - requests' hook
        self._local.response = response


@asynccontextmanager
async def open_metrics(settings: PrometheusSettings) -> AsyncGenerator[PrometheusMetrics, None]:
    """Connects at the first query."""
    metrics = PrometheusMetrics(settings)
    try:
        yield metrics
    finally:
        metrics.close()
