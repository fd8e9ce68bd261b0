"""The Silencer port over Alertmanager's API v2; of several replicas the first that answers is asked."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.domain.alerts import Alert
from bot.domain.errors import AmbiguousError, TemporaryError, UserError
from bot.ports.silencer import Believed

LONG_AGO = "2000-01-01T00:00:00Z"
"""Alertmanager moves a start in the past to its own now, so the two clocks need not agree."""


class _UnknownError(TemporaryError):
    """This member knows no such silence: 404 with no body, or, up to 0.25 at least, 500 ``"silence not found"``."""


class AlertmanagerSilencer:
    """Silences spread through Alertmanager's own cluster, so one member is enough."""

    def __init__(self, settings: AlertmanagerSettings, session: aiohttp.ClientSession) -> None:
        self._urls = tuple(url.rstrip("/") for url in settings.urls)
        self._session = session

    async def alerts(self) -> tuple[Believed, ...]:
        """Everything it holds, silenced ones too."""
        return tuple(_believed(item) for item in await self._call("GET", "/api/v2/alerts"))

    async def silence(self, matchers: Mapping[str, str], until: datetime, person: str, comment: str) -> str:
        """A silence from now *until* then; its id."""
        body = {
            "matchers": [
                {"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in matchers.items()
            ],
            "startsAt": LONG_AGO,
            "endsAt": until.isoformat(),
            "createdBy": person,
            "comment": comment,
        }
        answer = await self._call("POST", "/api/v2/silences", body)
        return str(answer["silenceID"])

    async def end(self, ident: str) -> None:
        """Expire a silence; one that has expired already, or that no member remembers, is done."""
        with suppress(_UnknownError):
            await self._call("DELETE", f"/api/v2/silence/{quote(ident, safe='')}")

    async def check(self) -> str:
        """Which Alertmanager answers."""
        status = await self._call("GET", "/api/v2/status")
        return f"Alertmanager {status.get('versionInfo', {}).get('version', '?')} answers"

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
        try:
            async with self._session.request(method, url + path, json=body) as answer:
                text = await answer.text(errors="replace")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise TemporaryError(f"no Alertmanager answers: {url}: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AmbiguousError(f"no Alertmanager answers: {url}: {type(error).__name__}") from error
        if answer.status in {404, 500} and (not text or "silence not found" in text):
            raise _UnknownError(f"no Alertmanager knows {path}")
        if answer.status == 429 or answer.status >= 500:
            raise TemporaryError(f"no Alertmanager answers: {url} says {answer.status}: {text[:200]}")
        if answer.status >= 400:
            raise UserError("Alertmanager refuses this: {why}", why=_why(answer.status, text))
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise TemporaryError(f"no Alertmanager answers: {url} says what is no JSON") from error


def _why(status: int, text: str) -> str:
    """Its errors are a bare JSON string, ``{code, message}``, or nothing (contracts.md, section 2)."""
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    if isinstance(said, dict):
        said = said.get("message", "")
    return f"{status} {said}".strip()[:200]


def _believed(item: dict[str, Any]) -> Believed:
    alert = Alert(
        item["fingerprint"], item["labels"], item.get("annotations") or {},
        datetime.fromisoformat(item["startsAt"]).astimezone(UTC), url=item.get("generatorURL", ""),
    )  # fmt: skip
    receivers = tuple(receiver["name"] for receiver in item.get("receivers") or ())
    return Believed(alert, receivers, tuple(item.get("status", {}).get("silencedBy") or ()))


@asynccontextmanager
async def open_silencer(settings: AlertmanagerSettings) -> AsyncGenerator[AlertmanagerSilencer, None]:
    """One session for all members."""
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"} if settings.token else None
    total = settings.timeout.total_seconds()
    timeout = aiohttp.ClientTimeout(total=total, connect=total / 2)  # so that "nothing was sent yet" can be told
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield AlertmanagerSilencer(settings, session)
