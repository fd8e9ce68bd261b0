"""Slack as a chat: posts, edits, whispers, finds its own messages again."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.cards import Card, Place, Ref
from bot.domain.errors import LostReferenceError, PermanentError, PultError, RateLimitedError
from bot.domain.messages import Message
from bot.domain.phrases import Words
from bot.platforms.slack.api import EVENT, Api, Json
from bot.platforms.slack.blocks import flat
from bot.platforms.slack.inbound import Inbound
from bot.platforms.slack.rates import Edits, PerChannel
from bot.platforms.slack.render import Rendered, render
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.texts import clean
from bot.platforms.slack.verdicts import NoThreadError, RefusedError, UnreachableError
from bot.ports.chat import Ask, HttpAnswer

log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_BACK = timedelta(seconds=5)
"""Slack's clock and ours may differ by as much."""
EPHEMERAL = "ephemeral"
SCOPES = frozenset(
    {"chat:write", "commands", "app_mentions:read", "im:history", "channels:history", "groups:history", "files:write"}
)
"""Without these something fails sooner or later."""


class SlackChat:
    """The ``Chat`` port, and with a signing secret the ``Inlet`` port too."""

    platform = "slack"

    def __init__(self, settings: SlackSettings, api: Api, edits: Edits, inbound: Inbound) -> None:
        self.pace = PerChannel(settings.posts_per_second)
        self._settings, self._api, self._edits, self._inbound = settings, api, edits, inbound

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """Show *message*. What is for one person goes out as they alone see it, never to everybody."""
        drawn = render(message, words)
        if card.place.private_to:
            ref = await self._whisper(card, drawn)
        else:
            ref = await self._post(card.place.chat, card, drawn, card.place.thread or _root(card.parent_ref))
        return await self._with_file(card, ref, message, drawn, words)

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Make a message say *message*. What only one person saw can't be edited: it is gone at their next reload."""
        if ref.kind == EPHEMERAL:
            raise LostReferenceError("an ephemeral message can't be edited")
        if delay := self._edits.take():
            raise RateLimitedError("chat.update: the workspace's edits are spent", delay)
        drawn = render(message, words)
        try:
            await _shown(drawn, lambda content: self._api.update(ref.chat, ref.message, content))
        except RateLimitedError as error:
            self._edits.hold(error.delay or 0.0)
            raise
        return await self._with_file(card, ref, message, drawn, words)

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        """Our own messages there, by the key in their metadata."""
        me, found = await self._api.me(), dict[str, Ref]()
        who = place.private_to or place.chat
        channel = await self._api.direct(who) if who.startswith(("U", "W")) else who
        thread = "" if place.private_to else place.thread
        try:
            async for message in self._api.since(channel, (since - LOOK_BACK).timestamp(), thread=thread):
                key = _key(message)
                if key and message.get("bot_id") == me.bot:
                    found[key] = _ref(channel, str(message["ts"]), str(message.get("thread_ts") or ""))
        except NoThreadError:
            return found
        return found

    async def listen(self, ask: Ask) -> None:
        """Hear people over Socket Mode, or wait while they come in over HTTP."""
        await self._inbound.listen(ask)

    async def receive(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """One signed request of Slack's."""
        return await self._inbound.receive(headers, body)

    async def check(self) -> str:
        """Who we are there and how we hear; PermanentError names what is missing."""
        me = await self._api.ask_me()
        missing = SCOPES - (SCOPES if me.scopes is None else me.scopes)
        if missing:
            names = ", ".join(sorted(missing))
            raise PermanentError(f"the Slack app lacks the scopes {names}; add them and install it again")
        if self._settings.app_token is not None:
            await self._api.socket()
        return f"{me.name} in {me.team}, hears over {self._ears()}"

    def _ears(self) -> str:
        if self._settings.app_token is not None:
            return "Socket Mode"
        return "HTTP" if self._settings.signing_secret is not None else "nothing: set app_token or signing_secret"

    async def _post(self, channel: str, card: Card, drawn: Rendered, thread: str) -> Ref:
        async def send(content: Json, under: str = thread) -> tuple[str, str]:
            return await self._api.post(channel, content, key=card.key, thread=under)

        try:
            return _ref(*await _shown(drawn, send), thread)
        except NoThreadError:  # its first message was deleted: better said in the open than not at all
            return _ref(*await _shown(drawn, lambda content: send(content, "")), "")

    async def _whisper(self, card: Card, drawn: Rendered) -> Ref:
        """The answer to a press or command, else an ephemeral message, else a direct one."""
        place = card.place
        api, seen = self._api, Ref(place.chat, "", EPHEMERAL)
        if place.press:
            try:
                await _shown(drawn, lambda content: api.respond(place.press, content, thread=place.thread))
                return seen
            except UnreachableError as error:
                log.info("response_url is spent", extra={"subject": card.subject, "error": str(error)})
        try:
            await _shown(drawn, lambda content: api.whisper(place.chat, place.private_to, content, thread=place.thread))
            return seen
        except UnreachableError as error:
            log.info("told in a direct message instead", extra={"subject": card.subject, "error": str(error)})
        return await self._post(place.private_to, card, drawn, "")

    async def _with_file(self, card: Card, ref: Ref, message: Message, drawn: Rendered, words: Words) -> Ref:
        """*ref*, with the whole text attached where the card had to leave something out: once, and if it can be."""
        if not (drawn.shortened and message.whole) or "file" in ref.extra:
            return ref
        title = flat(message.title, words)
        content = clean(message.whole).encode()
        try:
            private = ref.kind == EPHEMERAL
            channel = await self._api.direct(card.place.private_to) if private else ref.chat
            file = await self._api.attach(channel, "" if private else _root(ref), _file_name(title), title, content)
        except (PultError, TimeoutError) as error:
            log.warning("whole text not attached", extra={"subject": card.subject, "error": str(error)})
            return ref
        return replace(ref, extra={**ref.extra, "file": file})


async def _shown(drawn: Rendered, send: Callable[[Json], Awaitable[T]]) -> T:
    """Send with blocks; when Slack refuses those, hence has shown nothing, the same in words."""
    try:
        return await send({"text": drawn.text, "blocks": drawn.blocks})
    except RefusedError as error:
        log.exception("Slack refused the blocks of a card, it goes as text", extra={"error": str(error)})
        return await send({"text": drawn.text})


def _ref(channel: str, ts: str, thread: str) -> Ref:
    return Ref(channel, ts, extra={"thread": thread} if thread and thread != ts else {})


def _root(ref: Ref | None) -> str:
    """The ts of the thread that *ref* is in or would begin."""
    return "" if ref is None else ref.extra.get("thread") or ref.message


def _key(message: Json) -> str:
    metadata = message.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("key", "")) if metadata.get("event_type") == EVENT else ""


def _file_name(title: str) -> str:
    words = re.findall(r"[^\W_]+", title.lower())
    return f"{'-'.join(words)[:40] or 'whole'}.txt"
