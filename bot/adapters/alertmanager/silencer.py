"""The Silencer port over Alertmanager's API v2; of several replicas the first that answers is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.domain.alerts import Alert
from bot.domain.errors import TemporaryError, UserError
from bot.ports.silencer import Believed

LONG_AGO = "2000-01-01T00:00:00Z"
"""Alertmanager moves a start in the past to its own now, so the two clocks need not agree."""


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
        """Expire a silence; one that has expired already is done."""
        await self._call("DELETE", f"/api/v2/silence/{ident}")

    async def check(self) -> str:
        """Which Alertmanager answers."""
        status = await self._call("GET", "/api/v2/status")
        return f"Alertmanager {status.get('versionInfo', {}).get('version', '?')} answers"

    async def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        failed = "no address is configured"
        for url in self._urls:
            try:
                async with self._session.request(method, url + path, json=body) as answer:
                    if answer.status < 400:
                        text = await answer.read()
                        return await answer.json() if text else None
                    failed = f"{url} answers {answer.status}: {(await answer.text())[:200]}"
                    if answer.status < 500:
                        raise UserError("Alertmanager refuses this: {why}", why=failed)
            except (aiohttp.ClientError, TimeoutError) as error:
                failed = f"{url}: {type(error).__name__}"
        raise TemporaryError(f"no Alertmanager answers: {failed}")


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
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield AlertmanagerSilencer(settings, session)
