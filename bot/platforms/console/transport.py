"""The console as a chat: a card is shown by telling every open page. The state itself stands in the store."""
# ruff: noqa: ARG002 - the ports' signatures

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.domain.cards import Card, Place, Ref
from bot.domain.messages import Message
from bot.domain.phrases import Words
from bot.platforms.console.hub import Broadcast
from bot.platforms.console.plain import plain
from bot.platforms.console.render import render
from bot.ports.chat import Ask
from bot.ports.console import Update

PAGE = Path(__file__).parent / "page"
"""The page's files: HTML, style, script, pictures; served as they are."""


class Drawings:
    """The ``Drawing`` port: the two renderers of the console."""

    def tree(self, message: Message, words: Words) -> Mapping[str, Any]:
        return render(message, words)

    def plain(self, message: Message, words: Words) -> str:
        return plain(message, words)


class Readable:
    """The ``Pace`` port: nobody reads more than 25 cards a second, and a storm's others only take time from intake."""

    def interval(self, destination: str) -> float:
        return 0.04

    def burst(self, destination: str) -> int:
        return 20


class ConsoleChat:
    """The ``Chat`` port. It never fails: without a page there is nobody to tell, and one that opens reads the store.

    The language is each page's own, so messages travel undrawn; *words* of the place are not used.
    """

    platform = "console"

    def __init__(self, hub: Broadcast) -> None:
        self._hub = hub
        self.pace = Readable()

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """Tell every page of a new card."""
        self._tell(card, message)
        return Ref(card.place.chat, card.subject)

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Tell every page of a new revision."""
        self._tell(card, message)
        return ref

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        """Nothing to look for: pages know cards by their subject, so telling twice is telling once."""
        return {}

    async def listen(self, ask: Ask) -> None:
        """People's words come in over the page's own connection (bot/edge), so there is nothing to hear here."""
        await asyncio.Event().wait()

    async def check(self) -> str:
        """Always well."""
        return f"web console, {self._hub.pages} pages open"

    def _tell(self, card: Card, message: Message) -> None:
        place = card.place
        self._hub.send(Update(card.subject, place.destination, card.wanted, card.changed_at, message, place.private_to))
