"""Telegram as a chat: cards out, people's words in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from bot.domain.cards import Card, Place, Ref
from bot.domain.errors import ClosedError, LostReferenceError, PermanentError, told
from bot.domain.messages import Message
from bot.domain.phrases import Words, phrase
from bot.platforms.telegram.chores import Chores
from bot.platforms.telegram.client import Client, Target
from bot.platforms.telegram.forms import Form, Forms, change, send
from bot.platforms.telegram.inbound import Inbound
from bot.platforms.telegram.places import ALERT, Places
from bot.platforms.telegram.presses import Presses
from bot.platforms.telegram.private import Private
from bot.platforms.telegram.rates import URGENT, Budget, PerChat
from bot.platforms.telegram.render import whole
from bot.platforms.telegram.verdicts import AwayError, MovedError, NoTopicError, UnchangedError, WrongKindError
from bot.ports.chat import Ask, HttpAnswer

MENDS: Final = 7
"""Calls for one card: it may meet a moved group, a lost topic, a lost message to answer, and three refused forms."""
FILE = "file"
"""In a reference's extras: the whole text went along as a file."""


@dataclass(frozen=True)
class Parts:
    """What a chat works with."""

    client: Client
    pace: PerChat
    budget: Budget
    chores: Chores
    presses: Presses
    inbound: Inbound
    places: Places
    forms: Forms


class TelegramChat:
    """The ``Chat`` and ``Inlet`` ports."""

    platform = "telegram"

    def __init__(self, parts: Parts) -> None:
        self._client, self._budget = parts.client, parts.budget
        self._chores, self._presses, self._inbound = parts.chores, parts.presses, parts.inbound
        self._places, self._forms = parts.places, parts.forms
        self._private = Private(parts.client, parts.chores, parts.presses, parts.places, self._posted)
        self.pace = parts.pace

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """A new message in the card's place; a private one as an alert on the press, or in the private chat."""
        try:
            if card.place.private_to:
                return await self._private.post(card, message, words)
            ref = await self._posted(card, self._places.target(card), message, words)
        except AwayError as away:
            raise ClosedError(str(away), said=told(away)) from away
        self._presses.end(card.place.press)
        return ref

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Change the message behind *ref*. What was an alert can't be changed: LostReferenceError."""
        if ref.kind == ALERT:
            raise LostReferenceError("an alert can't be changed")
        self._places.remember(card, ref)
        self._budget.take_edit(int(ref.chat), card.priority)
        try:
            return await self._changed(card, ref, message, words)
        except AwayError as away:
            raise ClosedError(str(away), said=told(away)) from away

    async def find(self, place: Place, since: datetime) -> Mapping[str, Ref]:  # noqa: ARG002 - the port's signature
        """Nothing: a bot can't look into a chat's past."""
        return {}

    async def listen(self, ask: Ask) -> None:
        """Hear people until cancelled."""
        await self._inbound.listen(ask)

    async def receive(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """One update over HTTP."""
        return await self._inbound.receive(headers, body)

    async def check(self) -> str:
        """Who we are."""
        me = await self._client.me()
        return f"@{me.username}, bot {me.id}"

    async def _posted(self, card: Card, target: Target, message: Message, words: Words) -> Ref:
        """Send, and mend once each what Telegram definitely refuses for a reason we know: nothing was shown then."""
        self._budget.take(target.chat, urgent=card.priority in URGENT)
        forms = await self._forms.to_post(card, target.chat, message, words)
        for _ in range(MENDS):
            try:
                chat, number = await send(self._client, target, forms[0], words)
            except MovedError as moved:
                self._places.moved(target.chat, moved.chat)
                target = replace(target, chat=moved.chat, reply_to=None)
            except NoTopicError:
                target = self._places.without_topic(target)
            except PermanentError as error:
                forms = self._forms.after(error, forms, target.chat)
            else:
                return self._shown(card, Ref(str(chat), str(number)), forms[0], message)
        raise PermanentError(phrase("Telegram refuses this message in every form"))

    async def _changed(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Edit in the kind that stands there. An unclear answer is no reason to try another form."""
        forms = await self._forms.to_edit(card, ref, message, words)
        for _ in range(MENDS):
            try:
                await change(self._client, (int(ref.chat), int(ref.message)), forms[0], words)
            except UnchangedError:
                pass
            except MovedError as moved:
                self._places.moved(int(ref.chat), moved.chat)
                ref = replace(ref, chat=str(moved.chat))
                continue
            except WrongKindError:
                forms = self._forms.other(forms[0], message, words)
                continue
            except LostReferenceError:
                raise
            except PermanentError as error:
                forms = self._forms.after(error, forms, int(ref.chat))
                continue
            return self._shown(card, ref, forms[0], message)
        raise PermanentError(phrase("Telegram refuses this change in every form"))

    def _shown(self, card: Card, ref: Ref, form: Form, message: Message) -> Ref:
        ref = replace(ref, trouble=self._places.trouble(card.place))
        return self._with_file(card, self._forms.shown(form, ref, message), form, message)

    def _with_file(self, card: Card, ref: Ref, form: Form, message: Message) -> Ref:
        """Let the whole text follow, once in a message's life. Recorded first: two files would be worse than none."""
        if not (form.shortened and message.whole) or FILE in ref.extra:
            return ref
        name = re.sub(r"[^\w-]+", "-", card.subject).strip("-")[:60] or "pult"
        chat = int(ref.chat)
        target = Target(chat, reply_to=int(ref.message), silent=True)
        attach = partial(self._client.attach, target, f"{name}.txt", whole(message))
        self._chores.start("file", partial(self._budget.patiently, chat, attach, urgent=False))
        return replace(ref, extra={**ref.extra, FILE: name})
