"""The canary: posts Alertmanager's form of an alert to pult's own port, and is the chat where its card comes out."""
# ruff: noqa: ARG002 - the port's signatures

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import aiohttp

from bot.domain.cards import Card, Place, Ref
from bot.domain.errors import TemporaryError
from bot.domain.messages import Message
from bot.domain.phrases import Words
from bot.ports.canary import NAME, PLATFORM
from bot.ports.chat import Ask
from bot.ports.clock import Clock

DEADLINE: Final = 15.0
"""Seconds from the front door to the delivery: far longer than it takes, shorter than the time to the next."""


class Unpaced:
    """The ``Pace`` port: nobody reads here."""

    def interval(self, destination: str) -> float:
        return 0.0

    def burst(self, destination: str) -> int:
        return 1


class CanaryChat:
    """The ``Canary`` and ``Chat`` ports."""

    platform = PLATFORM
    pace = Unpaced()

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, door: str, token: str) -> None:
        self._session, self._clock, self._door, self._token = session, clock, door, token
        self._heard = asyncio.Event()

    async def fly(self) -> float:
        """Seconds from the front door to the delivery. TemporaryError says where it got lost."""
        self._heard.clear()
        begun = self._clock.now()
        try:
            async with asyncio.timeout(DEADLINE):
                await self._knock(begun)
                await self._heard.wait()
        except TimeoutError:
            raise TemporaryError(f"it was taken in and did not come out within {DEADLINE:g} s") from None
        return (self._clock.now() - begun).total_seconds()

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """It has come out."""
        self._heard.set()
        return Ref(card.place.chat, "here")

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """It has come out again."""
        self._heard.set()
        return ref

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        return {}

    async def listen(self, ask: Ask) -> None:
        await asyncio.Event().wait()

    async def check(self) -> str:
        return f"flies to {self._door} every minute"

    async def _knock(self, at: datetime) -> None:
        labels = {"alertname": NAME, "severity": "none"}
        alert = {
            "status": "firing",
            "labels": labels,
            "annotations": {},
            "startsAt": at.isoformat(),
            "fingerprint": NAME,
        }
        body = {"version": "4", "groupKey": NAME, "receiver": NAME, "groupLabels": labels, "alerts": [alert]}
        url, headers = f"{self._door}/webhooks/canary", {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.post(url, json=body, headers=headers) as answer:
                if answer.status != 200:
                    raise TemporaryError(f"the front door answers {answer.status}")
        except aiohttp.ClientError as error:
            raise TemporaryError(f"the front door does not answer: {type(error).__name__}") from error


@asynccontextmanager
async def open_canary(clock: Clock, door: str, token: str) -> AsyncGenerator[CanaryChat, None]:
    """*door*: where pult listens; *token*: what its Alertmanager webhook takes from us alone."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE)) as session:
        yield CanaryChat(session, clock, door, token)
