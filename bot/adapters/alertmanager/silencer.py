"""The Silencer port over Alertmanager's API v2.

Silences go to the first member that answers, since members tell each other. What fires is asked of every member: one
that has just started, or that hears from no Prometheus, believes too little.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.adapters.alertmanager.reading import NonsenseError, silences, testimony
from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.domain.errors import AmbiguousError, TemporaryError, UserError
from bot.domain.silences import Matching, Silence
from bot.domain.testimony import Testimony

log = logging.getLogger(__name__)

TESTIMONY = ("/api/v2/status", "/api/v2/alerts/groups", "/api/v2/silences")
MOST = 16 * 1024 * 1024
"""Bytes of one answer: some 15,000 alerts; 300 are 140 KB (contracts.md, section 1)."""
LONG_AGO = "2000-01-01T00:00:00Z"
"""Alertmanager moves a start in the past to its own now, so the two clocks need not agree."""


class _UnknownError(TemporaryError):
    """This member knows no such silence: 404 with no body, or, up to 0.25 at least, 500 ``"silence not found"``."""


class AlertmanagerSilencer:
    """Silences spread through Alertmanager's own cluster, so one member is enough."""

    def __init__(self, settings: AlertmanagerSettings, session: aiohttp.ClientSession) -> None:
        self._urls = tuple(url.rstrip("/") for url in settings.urls)
        self.receivers = frozenset(settings.receivers)
        self._session, self._deadline = session, settings.timeout.total_seconds()

    @property
    def size(self) -> int:
        return len(self._urls)

    async def testimonies(self) -> tuple[Testimony, ...]:
        """What each member believes; one that does not answer in time, or not in Alertmanager's words, is left out."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._testimony(url)) for url in self._urls]
        return tuple(told for task in asked if (told := task.result()) is not None)

    async def silences(self) -> tuple[Silence, ...]:
        """Those that are active or pending."""
        told = await self._call("GET", "/api/v2/silences")
        if not isinstance(told, list):
            raise TemporaryError("no Alertmanager answers: its silences are no list")
        return tuple(each for each, state in silences(told) if state != "expired")

    async def silence(self, matchers: tuple[Matching, ...], until: datetime, person: str, comment: str) -> str:
        """A silence from now *until* then; its id."""
        body = {
            "matchers": [
                {"name": each.label, "value": each.value, "isRegex": each.regex, "isEqual": each.equal}
                for each in matchers
            ],
            "startsAt": LONG_AGO,
            "endsAt": until.isoformat(),
            "createdBy": person,
            "comment": comment,
        }
        answer = await self._call("POST", "/api/v2/silences", body)
        if not isinstance(answer, dict) or "silenceID" not in answer:
            raise AmbiguousError("Alertmanager took the silence and told no id")
        return str(answer["silenceID"])

    async def end(self, ident: str) -> None:
        """Expire a silence; one that has expired already, or that no member remembers, is done."""
        with suppress(_UnknownError):
            await self._call("DELETE", f"/api/v2/silence/{quote(ident, safe='')}")

    async def check(self) -> str:
        """Which Alertmanager answers."""
        status = await self._call("GET", "/api/v2/status")
        if not isinstance(status, dict) or not isinstance(version := status.get("versionInfo"), dict):
            raise TemporaryError("no Alertmanager answers: its status says no version")
        return f"Alertmanager {version.get('version', '?')} answers"

    async def _testimony(self, url: str) -> Testimony | None:
        """Silences after groups: an alert's silence is then among them. Read in a thread: a storm's list is long."""
        try:
            async with asyncio.timeout(self._deadline):
                said = [await self._raw("GET", url, path, None) for path in TESTIMONY]
                return await asyncio.to_thread(testimony, url, *said)
        except (TemporaryError, UserError, TimeoutError) as error:
            why = str(error) or f"no answer within {self._deadline} s"
            log.warning("an Alertmanager is silent", extra={"member": url, "error": why})
        except NonsenseError as error:
            log.warning("an Alertmanager talks nonsense", extra={"member": url, "error": str(error)})
        return None

    async def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        failed: TemporaryError | None = None
        for url in self._urls:
            try:
                return await self._ask(method, url, path, body)
            except AmbiguousError as error:
                if method == "POST":  # another member would make a second silence, which nobody would end
                    raise
                failed = error
            except _UnknownError as error:
                failed = failed or error
            except TemporaryError as error:
                failed = error
        raise failed or TemporaryError("no Alertmanager answers: no address is configured")

    async def _ask(self, method: str, url: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """One member's answer. AmbiguousError: it took the request and then said nothing."""
        said = await self._raw(method, url, path, body)
        try:
            return json.loads(said) if said else None
        except ValueError as error:
            raise TemporaryError(f"no Alertmanager answers: {url} says what is no JSON") from error

    async def _raw(self, method: str, url: str, path: str, body: object) -> bytes:
        try:
            async with self._session.request(method, url + path, json=body) as answer:
                said = await _read(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise TemporaryError(f"no Alertmanager answers: {url}: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AmbiguousError(f"no Alertmanager answers: {url}: {type(error).__name__}") from error
        if answer.status >= 300:
            raise _refusal(url, path, answer.status, said.decode(errors="replace"))
        return said


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """TemporaryError: it says more than anybody can read, and perhaps never ends."""
    said = bytearray()
    async for part in answer.content.iter_any():
        said += part
        if len(said) > MOST:
            answer.close()
            raise TemporaryError(f"no Alertmanager answers: {answer.url.origin()} says over {MOST} bytes")
    return bytes(said)


def _refusal(url: str, path: str, status: int, text: str) -> TemporaryError | UserError:
    if status in {404, 500} and (not text or "silence not found" in text):
        return _UnknownError(f"no Alertmanager knows {path}")
    if status == 429 or status >= 500 or status < 400:
        return TemporaryError(f"no Alertmanager answers: {url} says {status}: {text[:200]}")
    return UserError("Alertmanager refuses this: {why}", why=_why(status, text))


def _why(status: int, text: str) -> str:
    """Its errors are a bare JSON string, ``{code, message}``, or nothing (contracts.md, section 2)."""
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    if isinstance(said, dict):
        said = said.get("message", "")
    return f"{status} {said}".strip()[:200]


@asynccontextmanager
async def open_silencer(settings: AlertmanagerSettings) -> AsyncGenerator[AlertmanagerSilencer, None]:
    """One session for all members."""
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"} if settings.token else None
    total = settings.timeout.total_seconds()
    timeout = aiohttp.ClientTimeout(total=total, connect=total / 2)  # so that "nothing was sent yet" can be told
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield AlertmanagerSilencer(settings, session)
