"""Slack as a chat: posts, edits, whispers, finds its own messages again."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.cards import Card, Place, Priority, Ref
from bot.domain.errors import (
    ClosedError,
    DeferredError,
    LostReferenceError,
    PermanentError,
    PultError,
    RateLimitedError,
    told,
)
from bot.domain.messages import Message
from bot.domain.phrases import Words
from bot.platforms.slack.api import EVENT, Api, Json
from bot.platforms.slack.blocks import flat
from bot.platforms.slack.inbound import Inbound
from bot.platforms.slack.pictures import Pictures
from bot.platforms.slack.rates import Budgets, PerChannel, personal
from bot.platforms.slack.render import Forms, Rendered, forms
from bot.platforms.slack.richer import RICH
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.shown import Form, Refusals, Sent, shown
from bot.platforms.slack.texts import clean
from bot.platforms.slack.verdicts import MismatchError, NoThreadError, ShutError, UnreachableError
from bot.ports.chat import Ask, HttpAnswer

log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_BACK = timedelta(seconds=5)
"""Slack's clock and ours may differ by as much."""
EPHEMERAL = "ephemeral"
FORM, PICTURE = "form", "picture"
"""What a reference remembers besides the message: its form for life, and that its picture was begun."""
SCOPES = frozenset(
    {
        "chat:write",
        "commands",
        "app_mentions:read",
        "im:history",
        "im:write",
        "channels:history",
        "groups:history",
        "files:write",
    }
)
"""Without these something fails sooner or later."""


@dataclass(frozen=True)
class Outbound:
    """How the workspace may be written to."""

    api: Api
    budgets: Budgets
    refusals: Refusals
    pictures: Pictures


class SlackChat:
    """The ``Chat`` port, and with a signing secret the ``Inlet`` port too."""

    platform = "slack"

    def __init__(self, settings: SlackSettings, outbound: Outbound, inbound: Inbound) -> None:
        self.pace = PerChannel(settings.posts_per_second)
        self._settings, self._inbound = settings, inbound
        self._api, self._budgets = outbound.api, outbound.budgets
        self._refusals, self._pictures = outbound.refusals, outbound.pictures

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """Show *message*. What is for one person goes out as they alone see it, never to everybody."""
        private = bool(card.place.private_to)
        drawn = self._forms(message, words, private=private)
        try:
            ref, sent = await (self._whisper(card, drawn) if private else self._post(card, drawn))
        except ShutError as shut:
            raise ClosedError(str(shut), said=told(shut)) from shut
        return await self._followed(card, ref, message, sent, words)

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Make a message say *message*. What only one person saw can't be edited: it is gone at their next reload."""
        if ref.kind == EPHEMERAL:
            raise LostReferenceError("an ephemeral message can't be edited")
        if delay := self._budgets.edits.take():
            raise DeferredError("chat.update: the workspace's edits are spent", delay)
        drawn = self._forms(message, words, private=False)
        form = Form(ref.extra.get(FORM, ""))
        try:
            sent = await self._shown(drawn, lambda content: self._api.update(ref.chat, ref.message, content), form=form)
        except RateLimitedError as error:
            self._budgets.edits.hold(error.delay or 0.0)
            raise
        except ShutError as shut:
            raise ClosedError(str(shut), said=told(shut)) from shut
        except MismatchError as error:
            # Taken back before the new one is posted: so there are never two, whatever happens in between.
            await self._api.delete(ref.chat, ref.message)
            raise LostReferenceError(str(error)) from error
        return await self._followed(card, _formed(ref, sent.form), message, sent.drawn, words)

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:
        """Our own messages there, by the key in their metadata.

        What only one person saw can't be looked up; where that was not possible it went as a direct message, which can.
        """
        who = place.private_to or place.chat
        channel = await self._api.direct(who) if personal(who) else who
        thread = "" if place.private_to else place.thread
        try:
            return await self._found(channel, since, thread)
        except NoThreadError:  # what should have gone there was told in the open
            return await self._found(channel, since, "")

    async def _found(self, channel: str, since: datetime, thread: str) -> Mapping[str, Ref]:
        me, found = await self._api.me(), dict[str, Ref]()
        async for message in self._api.since(channel, (since - LOOK_BACK).timestamp(), thread=thread):
            key = _key(message)
            if key and message.get("bot_id") == me.bot:
                found[key] = _seen(channel, message)
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

    def _forms(self, message: Message, words: Words, *, private: bool) -> Forms:
        allowed = self._refusals.allowed(private=private) if self._settings.rich else frozenset[str]()
        return forms(message, words, allowed)

    async def _shown(
        self, drawn: Forms, send: Callable[[Json], Awaitable[T]], *, private: bool = False, form: Form = Form.PLAIN
    ) -> Sent[T]:
        return await shown(drawn, form, send, lambda what, error: self._refusals.note(what, error, private=private))

    async def _post(self, card: Card, drawn: Forms) -> tuple[Ref, Rendered]:
        """In the open. News of a page is shown in the channel besides its thread: an edit wakes nobody."""
        parent = card.parent_ref
        channel = card.place.chat if parent is None else parent.chat
        thread = card.place.thread or _root(parent)
        urgent = parent is not None and card.priority is Priority.PAGE

        async def send(content: Json, under: str = thread) -> tuple[str, str]:
            return await self._api.post(channel, content, key=card.key, thread=under, broadcast=urgent)

        try:
            return await self._placed(channel, drawn, send, thread)
        except NoThreadError:  # its first message was deleted: better said in the open than not at all
            return await self._placed(channel, drawn, lambda content: send(content, ""), "")

    async def _placed(
        self, channel: str, drawn: Forms, send: Callable[[Json], Awaitable[tuple[str, str]]], thread: str
    ) -> tuple[Ref, Rendered]:
        if personal(channel) and (delay := self._budgets.direct(channel)):
            raise DeferredError(f"chat.postMessage: direct messages to {channel} are spent", delay)
        sent = await self._shown(drawn, send)
        return _formed(_ref(*sent.answer, thread), sent.form), sent.drawn

    async def _whisper(self, card: Card, drawn: Forms) -> tuple[Ref, Rendered]:
        """The answer to a press or command, else an ephemeral message, else a direct one."""
        place = card.place
        api, seen = self._api, Ref(place.chat, "", EPHEMERAL)

        async def respond(content: Json) -> None:
            await api.respond(place.press, content, thread=place.thread)

        async def whisper(content: Json) -> None:
            await api.whisper(place.chat, place.private_to, content, thread=place.thread)

        for send in (respond, whisper) if place.press else (whisper,):
            try:
                return seen, (await self._shown(drawn, send, private=True)).drawn
            except UnreachableError as error:
                log.info("can't be told there", extra={"subject": card.subject, "error": str(error)})
        return await self._post(replace(card, place=Place(place.lane), parent_ref=None), drawn)

    async def _followed(self, card: Card, ref: Ref, message: Message, drawn: Rendered, words: Words) -> Ref:
        """*ref* with what hangs under the message: the picture of a page, begun once, and the whole text."""
        fresh = ref.kind != EPHEMERAL and PICTURE not in ref.extra
        if fresh and self._pictures.begin(card, ref, message, drawn, words):
            ref = replace(ref, extra={**ref.extra, PICTURE: "begun"})
        return await self._with_file(card, ref, message, drawn, words)

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


def _ref(channel: str, ts: str, thread: str) -> Ref:
    return Ref(channel, ts, extra={"thread": thread} if thread and thread != ts else {})


def _formed(ref: Ref, form: Form) -> Ref:
    return replace(ref, extra={**ref.extra, FORM: form.value}) if form else ref


def _seen(channel: str, message: Json) -> Ref:
    """A message of ours that stands there. Something under it may be its picture: then there is none to come."""
    ref = _ref(channel, str(message["ts"]), str(message.get("thread_ts") or ""))
    rich = RICH.intersection(block.get("type") for block in message.get("blocks") or ())
    ref = _formed(ref, Form.RICH if rich else Form.PLAIN)
    return replace(ref, extra={**ref.extra, PICTURE: "perhaps"}) if message.get("reply_count") else ref


def _root(ref: Ref | None) -> str:
    """The ts of the thread that *ref* is in or would begin."""
    return "" if ref is None else ref.extra.get("thread") or ref.message


def _key(message: Json) -> str:
    metadata = message.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("key", "")) if metadata.get("event_type") == EVENT else ""


def _file_name(title: str) -> str:
    words = re.findall(r"[^\W_]+", title.lower())
    return f"{'-'.join(words)[:40] or 'whole'}.txt"
