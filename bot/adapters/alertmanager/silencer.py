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
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.domain.alerts import Alert
from bot.domain.errors import AmbiguousError, TemporaryError, UserError
from bot.domain.silences import Matching, Silence
from bot.domain.testimony import Believed, BelievedGroup, Testimony

log = logging.getLogger(__name__)

LONG_AGO = "2000-01-01T00:00:00Z"
"""Alertmanager moves a start in the past to its own now, so the two clocks need not agree."""


class _UnknownError(TemporaryError):
    """This member knows no such silence: 404 with no body, or, up to 0.25 at least, 500 ``"silence not found"``."""


class AlertmanagerSilencer:
    """Silences spread through Alertmanager's own cluster, so one member is enough."""

    def __init__(self, settings: AlertmanagerSettings, session: aiohttp.ClientSession) -> None:
        self._urls = tuple(url.rstrip("/") for url in settings.urls)
        self._session = session

    async def testimonies(self) -> tuple[Testimony, ...]:
        """What each member believes; one that does not answer, or not in Alertmanager's words, is left out."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._testimony(url)) for url in self._urls]
        return tuple(told for task in asked if (told := task.result()) is not None)

    async def silences(self) -> tuple[Silence, ...]:
        """Those that are active or pending."""
        return _silences(await self._call("GET", "/api/v2/silences"))

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
        return str(answer["silenceID"])

    async def end(self, ident: str) -> None:
        """Expire a silence; one that has expired already, or that no member remembers, is done."""
        with suppress(_UnknownError):
            await self._call("DELETE", f"/api/v2/silence/{quote(ident, safe='')}")

    async def check(self) -> str:
        """Which Alertmanager answers."""
        status = await self._call("GET", "/api/v2/status")
        return f"Alertmanager {status.get('versionInfo', {}).get('version', '?')} answers"

    async def _testimony(self, url: str) -> Testimony | None:
        try:
            status = await self._ask("GET", url, "/api/v2/status", None)
            groups = await self._ask("GET", url, "/api/v2/alerts/groups", None)
            silences = await self._ask("GET", url, "/api/v2/silences", None)
            up_since = _moment(status["uptime"]) if status.get("uptime") else None
            return Testimony(url, up_since, tuple(_group(item) for item in groups), _silences(silences))
        except (TemporaryError, UserError) as error:
            log.warning("an Alertmanager is silent", extra={"member": url, "error": str(error)})
        except (LookupError, TypeError, ValueError, AttributeError):
            log.exception("an Alertmanager talks nonsense", extra={"member": url})
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


def _group(item: dict[str, Any]) -> BelievedGroup:
    alerts = tuple(_believed(alert) for alert in item["alerts"])
    return BelievedGroup(item["receiver"]["name"], item.get("labels") or {}, alerts)


def _believed(item: dict[str, Any]) -> Believed:
    status = item.get("status") or {}
    alert = Alert(
        item["fingerprint"], item["labels"], item.get("annotations") or {}, _moment(item["startsAt"]),
        url=item.get("generatorURL") or "",
    )  # fmt: skip
    return Believed(alert, tuple(status.get("silencedBy") or ()), tuple(status.get("inhibitedBy") or ()))


def _silences(items: list[dict[str, Any]]) -> tuple[Silence, ...]:
    return tuple(_silence(item) for item in items if item["status"]["state"] != "expired")


def _silence(item: dict[str, Any]) -> Silence:
    return Silence(
        item["id"], tuple(_matching(each) for each in item["matchers"]), item.get("createdBy") or "",
        item.get("comment") or "", _moment(item["startsAt"]), _moment(item["endsAt"]),
    )  # fmt: skip


def _matching(item: dict[str, Any]) -> Matching:
    return Matching(item["name"], item["value"], item["isRegex"], item.get("isEqual", True))


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


@asynccontextmanager
async def open_silencer(settings: AlertmanagerSettings) -> AsyncGenerator[AlertmanagerSilencer, None]:
    """One session for all members."""
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"} if settings.token else None
    total = settings.timeout.total_seconds()
    timeout = aiohttp.ClientTimeout(total=total, connect=total / 2)  # so that "nothing was sent yet" can be told
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield AlertmanagerSilencer(settings, session)
