"""The simulated department as the story sees it: what happens there, and what its people do and read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import aiohttp

from bot.domain.errors import PultError

T = TypeVar("T")
PATIENCE = 90.0
LOOK_EVERY = 0.05


class Department:
    """Drives the simulator and reads its chats, over HTTP only."""

    def __init__(self, session: aiohttp.ClientSession, simulator: str, pult: str) -> None:
        self._session, self._simulator, self._pult = session, simulator, pult

    async def world(self) -> dict[str, Any]:
        """The state of everything."""
        return await self._get("/world")

    async def happens(self, what: str, **body: object) -> dict[str, Any]:
        """POST /world/<what>."""
        return await self._post(f"{self._simulator}/world/{what}", body)

    async def recovers(self) -> None:
        """Every fault ends."""
        async with self._session.delete(f"{self._simulator}/world/fault") as answer:
            answer.raise_for_status()

    async def alerts(self, labels: Iterable[Mapping[str, str]]) -> None:
        """Alerts of these labels begin to fire, as Prometheus tells Alertmanager."""
        told = [{"labels": dict(each), "annotations": {"summary": each["alertname"]}} for each in labels]
        async with self._session.post(f"{self._simulator}/alertmanager/api/v2/alerts", json=told) as answer:
            answer.raise_for_status()

    async def slack(self, act: str, **body: object) -> dict[str, Any]:
        """Somebody does something in Slack."""
        return await self._post(f"{self._simulator}/slack/_drive/{act}", body)

    async def telegram(self, act: str, **body: object) -> dict[str, Any]:
        """Somebody does something in Telegram."""
        return await self._post(f"{self._simulator}/telegram/_drive/{act}", body)

    async def slack_messages(self, channel: str) -> list[dict[str, Any]]:
        """What stands in a channel, oldest first, with every revision."""
        return list((await self._get(f"/slack/_drive/messages?channel={channel}"))["messages"])

    async def slack_answers(self, user: str) -> list[dict[str, Any]]:
        """What only this person saw."""
        return list((await self._get(f"/slack/_drive/answers?user={user}"))["messages"])

    async def telegram_messages(self, chat: int) -> list[dict[str, Any]]:
        """What stands in a chat, oldest first, with every revision."""
        return list((await self._get(f"/telegram/_drive/messages?chat={chat}"))["messages"])

    async def asks(self, person: str, text: str) -> dict[str, Any]:
        """*person* types *text* into the console."""
        headers = {"Authorization": f"Bearer token-{person}"}
        async with self._session.post(f"{self._pult}/api/ask", json={"text": text}, headers=headers) as answer:
            if answer.status != 200:
                raise PultError(f"the console answers {answer.status}: {await answer.text()}")
            found: dict[str, Any] = await answer.json()
            return found

    async def until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """The first result of *look* that is something. PultError: *what* did not come in PATIENCE seconds."""
        for _ in range(int(PATIENCE / LOOK_EVERY)):
            if found := await look():
                return found
            await asyncio.sleep(LOOK_EVERY)
        raise PultError(f"the story broke: {what}")

    async def _get(self, path: str) -> dict[str, Any]:
        async with self._session.get(self._simulator + path) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def _post(self, url: str, body: object) -> dict[str, Any]:
        async with self._session.post(url, json=body) as answer:
            found: dict[str, Any] = await answer.json()
            if answer.status >= 400:
                raise PultError(f"{url} answers {answer.status}: {found}")
            return found
