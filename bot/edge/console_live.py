"""``GET /api/console``: the page's live connection. First everything as it stands, then each change, and answers.

To the page: ``hello`` (who, language, commands) · ``snapshot`` (``cards``, ``on_call``: names or null) · ``card`` ·
``answer`` (``id``, ``ok``, ``op``, ``card``, ``text``) · ``refused`` (``id``, ``reason``: malformed, too_fast,
unavailable, broken; ``after`` seconds) · ``tick`` (``at``, ``on_call``). From the page: ``ask`` (``id``, ``text``,
``pressed``). A page that can't keep up is closed with 1013 and connects anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from bot.domain.errors import MalformedError, RateLimitedError, TemporaryError
from bot.domain.messages import Message
from bot.domain.people import Person
from bot.domain.phrases import Words, pieces
from bot.edge.console_asks import Asked, Asks, read_ask, read_object
from bot.edge.console_parts import (
    BODY_MAX,
    HEARTBEAT,
    IN_FLIGHT_MAX,
    PAGES_MAX,
    SEND_DEADLINE,
    SNAPSHOT_DEADLINE,
    TICK,
    ConsoleParts,
)
from bot.ports.console import Answer, Update

log = logging.getLogger(__name__)


class Live:
    """All open pages."""

    def __init__(self, parts: ConsoleParts, asks: Asks) -> None:
        self._parts, self._asks = parts, asks
        self._open: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request, person: Person, locale: str) -> web.StreamResponse:
        """One page, until it leaves."""
        if len(self._open) >= PAGES_MAX:
            return web.json_response({"error": "too many open pages"}, status=503)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=BODY_MAX, timeout=SEND_DEADLINE)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await Page(socket, self._parts, self._asks, person, locale).run()
        finally:
            self._open.discard(socket)
        return socket

    async def close(self) -> None:
        """Send every page away: the process stops. They connect anew."""
        async with asyncio.TaskGroup() as group:
            for socket in tuple(self._open):
                group.create_task(socket.close(code=WSCloseCode.GOING_AWAY))


class Page:
    """One open page of one person in one language."""

    def __init__(
        self, socket: web.WebSocketResponse, parts: ConsoleParts, asks: Asks, person: Person, locale: str
    ) -> None:
        self._socket, self._parts, self._asks, self._person, self._locale = socket, parts, asks, person, locale
        self._words: Words = asks.words(person, locale)
        self._under_way = 0

    async def run(self) -> None:
        """Feed and hear until the page leaves. Commands under way are finished, whether or not anybody waits."""
        async with self._parts.hub.subscribe() as updates, asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._feed(updates)), group.create_task(self._tick())]
            try:
                await self._hear(group)
            finally:
                for task in tasks:
                    task.cancel()

    async def _feed(self, updates: AsyncIterator[Update]) -> None:
        try:
            await self._send(self._hello())
            async with asyncio.timeout(SNAPSHOT_DEADLINE):
                standing = await self._parts.snapshot()
            cards = [self._card(*card) for card in standing]
            await self._send({"type": "snapshot", "cards": cards, "on_call": await self._on_call()})
            async for update in updates:
                if update.private_to in {"", self._person.name}:
                    card = self._card(update.subject, update.revision, update.at, update.message)
                    await self._send({"type": "card", "destination": update.destination, **card})
        except (TemporaryError, TimeoutError) as error:
            log.warning("console page sent away", extra={"person": self._person.name, "error": str(error)})
        except ConnectionResetError:
            return  # the page has gone; _hear ends by itself
        await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)

    async def _tick(self) -> None:
        while not self._socket.closed:
            await self._parts.clock.sleep(TICK)
            at = self._parts.clock.now().isoformat()
            if not await self._tell({"type": "tick", "at": at, "on_call": await self._on_call()}):
                return

    async def _on_call(self) -> Sequence[str] | None:
        try:
            return await self._parts.on_call()
        except TemporaryError:
            return None

    async def _hear(self, group: asyncio.TaskGroup) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                asked = self._read(message.data)
            except MalformedError as error:
                await self._tell({"type": "refused", "id": None, "reason": "malformed", "error": str(error)})
                continue
            if self._under_way >= IN_FLIGHT_MAX:
                await self._tell({"type": "refused", "id": asked.id, "reason": "too_fast", "after": 1})
                continue
            self._under_way += 1
            group.create_task(self._answer(asked))

    def _read(self, text: str) -> Asked:
        data = read_object(text)
        if data.get("type") != "ask":
            raise MalformedError("type: expected ask")
        return read_ask({**data, "locale": self._locale}, self._parts.locales)

    async def _answer(self, asked: Asked) -> None:
        try:
            told = self._told(asked, await self._asks.ask(self._person, asked))
        except RateLimitedError as error:
            told = {"type": "refused", "id": asked.id, "reason": "too_fast", "after": error.delay or 1}
        except TemporaryError as error:
            log.warning("console command not taken", extra={"error": str(error)})
            told = {"type": "refused", "id": asked.id, "reason": "unavailable"}
        except Exception:  # one command must not close the page
            log.exception("console command broke")
            told = {"type": "refused", "id": asked.id, "reason": "broken"}
        finally:
            self._under_way -= 1
        await self._tell(told)

    def _told(self, asked: Asked, answer: Answer) -> dict[str, Any]:
        return {
            "type": "answer",
            "id": asked.id,
            "ok": answer.ok,
            "op": answer.operation or None,
            "card": self._parts.drawing.tree(answer.message, self._words),
            "text": self._parts.drawing.plain(answer.message, self._words),
        }

    def _card(self, subject: str, revision: int, at: datetime, message: Message) -> dict[str, Any]:
        drawn = self._parts.drawing.tree(message, self._words)
        return {"id": subject, "revision": revision, "at": at.isoformat(), "card": drawn}

    def _hello(self) -> dict[str, Any]:
        person = self._person
        commands = [
            {
                "words": command.words,
                "usage": command.usage,
                "about": "".join(piece.text for piece in pieces(command.about, self._words)),
                "examples": command.examples,
            }
            for command in self._parts.commands
        ]
        return {
            "type": "hello",
            "person": {"name": person.name, "roles": sorted(person.roles)},
            "locale": self._words.locale,
            "zone": person.zone,
            "version": self._parts.version,
            "open": self._parts.opened,
            "at": self._parts.clock.now().isoformat(),
            "commands": commands,
        }

    async def _tell(self, message: Mapping[str, Any]) -> bool:
        """Send, or find that nobody listens any more."""
        try:
            await self._send(message)
        except (ConnectionResetError, TimeoutError):
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return False
        return True

    async def _send(self, message: Mapping[str, Any]) -> None:
        async with asyncio.timeout(SEND_DEADLINE):
            await self._socket.send_str(orjson.dumps(message).decode())
