"""The Logs port over Loki, which remembers pods that are gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

import aiohttp

from bot.adapters.loki import logql
from bot.adapters.loki.settings import LokiSettings
from bot.domain import loglines
from bot.domain.errors import TemporaryError, UserError, ungrouped
from bot.domain.services import Environment
from bot.ports.logs import Found, Line, Wanted

LIMIT = 5_000
"""Lines of one answer: Loki's max_entries_limit_per_query."""
MOST = 32 * 1024 * 1024
"""Bytes of one answer."""
LATE = timedelta(seconds=3)
"""How long collectors keep a line before they send it (promtail's and Alloy's batch wait is 1 s): lines younger than
that are left to the next question, so that none is lost between two."""


class LokiLogs:
    """One Loki for every cluster; *regions*: of each, for the selector."""

    def __init__(self, settings: LokiSettings, regions: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self._settings, self._regions, self._session = settings, regions, session
        self._url = settings.url.rstrip("/")

    async def lines(self, environment: Environment, wanted: Wanted) -> Found:
        """The newest lines first is how Loki is asked, so that what is cut off is old."""
        if wanted.previous:
            raise UserError("Loki does not tell one life of a container from the next. Ask for the time instead.")
        until = max(wanted.since, wanted.until - LATE)
        query = self._selector(environment) + logql.of_pod(self._settings.pod, wanted.pod)
        limit = min(wanted.limit + 1, LIMIT)
        answer = await self._ask(
            "query_range",
            query=query + logql.containing(wanted.grep),
            start=logql.nanoseconds(wanted.since),
            end=logql.nanoseconds(until),
            limit=str(limit),
            direction="backward",
        )
        found = await asyncio.to_thread(self._shown, answer, wanted)
        cut = len(found) >= limit or not logql.complete(answer)
        kept = found[-wanted.limit :]
        return Found(tuple(line for line in kept if loglines.has(line.text, wanted.grep)), until, cut)

    async def errors(self, environment: Environment, since: datetime, until: datetime) -> int | None:
        """None as well when nothing at all was logged: then nobody knows whether the streams are found."""
        seconds = max(1, round((until - since).total_seconds()))
        streams = self._selector(environment)
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                every = group.create_task(self._count(streams, seconds, until))
                bad = group.create_task(self._count(f"{streams} {self._settings.errors}", seconds, until))
        return None if not every.result() else bad.result() or 0

    async def check(self) -> str:
        """Which Loki answers."""
        answer = await self._ask("status/buildinfo")
        version = answer.get("version", "?") if isinstance(answer, dict) else "?"
        await self._ask("labels")  # proves tenant and token
        return f"Loki {version} answers"

    def _selector(self, environment: Environment) -> str:
        return logql.selector(self._settings, environment, self._regions.get(environment.cluster, ""))

    async def _count(self, query: str, seconds: int, until: datetime) -> int | None:
        answer = await self._ask(
            "query", query=f"sum(count_over_time({query} [{seconds}s]))", time=logql.nanoseconds(until)
        )
        if not logql.complete(answer):
            raise TemporaryError("Loki counted a part only")
        return logql.number(answer)

    def _shown(self, answer: object, wanted: Wanted) -> list[Line]:
        """Merged by time, without repeats (two collectors may send one line), masked source by source."""
        told = logql.lines(answer, self._settings.pod, self._settings.container)
        lines = sorted(dict.fromkeys(told), key=lambda line: line.at)
        by_source: dict[str, list[Line]] = {}
        for line in lines:
            if wanted.since <= line.at:
                by_source.setdefault(line.source, []).append(line)
        masked = (_masked(each) for each in by_source.values())
        return sorted(chain.from_iterable(masked), key=lambda line: line.at)

    async def _ask(self, path: str, **params: str) -> object:
        url = f"{self._url}/loki/api/v1/{path}"
        try:
            async with self._session.get(url, params=params) as answer:
                body = await _read(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TemporaryError(f"Loki does not answer ({type(error).__name__})") from error
        if answer.status != 200:
            raise logql.verdict(answer.status, answer.headers, body.decode(errors="replace"))
        try:
            found: object = await asyncio.to_thread(json.loads, body)
        except ValueError as error:
            raise TemporaryError("Loki answers in no JSON") from error
        return found


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    said = bytearray()
    async for part in answer.content.iter_any():
        said += part
        if len(said) > MOST:
            answer.close()
            raise UserError("Loki answers with more than can be read. Ask for less time, or for a word.")
    return bytes(said)


def _masked(lines: list[Line]) -> list[Line]:
    texts = loglines.masked([line.text for line in lines])
    return [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]


@asynccontextmanager
async def open_logs(settings: LokiSettings, regions: Mapping[str, str]) -> AsyncGenerator[LokiLogs, None]:
    """Connects at the first query."""
    headers = {"X-Scope-OrgID": settings.tenant} if settings.tenant else {}
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield LokiLogs(settings, regions, session)
