"""Paging providers as a chat: every revision of a card is one signed POST."""
# ruff: noqa: ARG002 - the ports' signatures

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout

from bot.domain.cards import Card, Place, Ref
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.messages import Message
from bot.domain.phrases import Code, Words, phrase
from bot.domain.signatures import signature
from bot.platforms.webhook import limits
from bot.platforms.webhook.render import render
from bot.platforms.webhook.settings import PagerSettings
from bot.platforms.webhook.verdicts import judged, verdict
from bot.ports.chat import Ask
from bot.ports.clock import Clock


class PerPager:
    """The ``Pace`` port."""

    def interval(self, destination: str) -> float:
        """Seconds between two events to one provider."""
        return limits.INTERVAL

    def burst(self, destination: str) -> int:
        """Events at once after a pause."""
        return limits.BURST


class WebhookChat:
    """The ``Chat`` port. A provider can't be looked into: after a crash or a lost answer it may hear an event twice.

    The second has the same ``Idempotency-Key`` (or a later revision of the same ``id``), so it can drop it.
    """

    platform = "webhook"

    def __init__(self, pagers: Iterable[PagerSettings], session: ClientSession, clock: Clock, public_url: str) -> None:
        self.pace = PerPager()
        self._pagers = {pager.name: pager for pager in pagers}
        self._session, self._clock, self._public_url = session, clock, public_url

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """Tell the provider of a new card."""
        return await self._send(card, message, words)

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Tell it of a new revision: same id, higher number."""
        return await self._send(card, message, words)

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        """Nothing to look for; it drops what it has by the idempotency key."""
        return {}

    async def listen(self, ask: Ask) -> None:
        """Nobody speaks there."""
        await asyncio.Event().wait()

    async def check(self) -> str:
        """Whether each provider answers at all: a HEAD, which wakes nobody. TemporaryError names who does not."""
        silent: list[str] = []
        for pager in self._pagers.values():
            try:
                with judged(pager.name):
                    async with self._session.head(_url(pager), timeout=_timeout(pager), allow_redirects=False):
                        pass
            except (TemporaryError, PermanentError) as error:
                silent.append(str(error))
        if silent:
            raise TemporaryError("; ".join(silent))
        return f"{', '.join(self._pagers)} can be reached; --send-test shows whether it takes events"

    async def _send(self, card: Card, message: Message, words: Words) -> Ref:
        pager = self._pagers.get(card.place.chat)
        if pager is None:
            raise PermanentError(phrase("there is no pager {name}: see [[pagers]]", name=Code(card.place.chat)))
        body = json.dumps(render(card, message, words, self._public_url), ensure_ascii=False).encode()
        headers = {**_signed(body, pager, self._clock.now()), "Idempotency-Key": quote(f"{card.key}/{card.wanted}")}
        with judged(pager.name):
            async with self._session.post(
                _url(pager), data=body, headers=headers, timeout=_timeout(pager), allow_redirects=False
            ) as answer:
                refused = verdict(pager.name, answer.status, answer.headers, self._clock.now())
        if refused:
            raise refused
        return Ref(card.place.chat, card.key)


def _signed(body: bytes, pager: PagerSettings, now: datetime) -> Mapping[str, str]:
    """As interface.md, ruling 6, has it for what comes in."""
    stamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json",
        "X-Pult-Timestamp": stamp,
        "X-Pult-Signature": signature(stamp.encode() + b"." + body, pager.secret.get_secret_value()),
    }


def _url(pager: PagerSettings) -> str:
    return pager.url.get_secret_value()


def _timeout(pager: PagerSettings) -> ClientTimeout:
    total = pager.timeout.total_seconds()
    return ClientTimeout(total=total, connect=total / 2)  # so that "nothing was sent yet" can be told
