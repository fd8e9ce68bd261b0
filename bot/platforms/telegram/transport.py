"""Telegram as a chat: cards out, people's words in."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from bot.domain.cards import Card, Place, Priority, Ref
from bot.domain.errors import LostReferenceError, PermanentError, TemporaryError
from bot.domain.messages import Message, Tone
from bot.domain.phrases import Phrase, Words, phrase, pieces
from bot.platforms.telegram import limits
from bot.platforms.telegram.chores import Chores
from bot.platforms.telegram.client import Client, Target
from bot.platforms.telegram.inbound import Inbound
from bot.platforms.telegram.presses import Presses
from bot.platforms.telegram.rates import Budget, PerChat
from bot.platforms.telegram.render import Rendered, brief, render, whole
from bot.platforms.telegram.text import clip, units
from bot.platforms.telegram.verdicts import MarkupError, MovedError, NoTopicError, UnchangedError
from bot.ports.chat import Ask, HttpAnswer

log = logging.getLogger(__name__)
MENDS: Final = 3
"""A post may meet a moved group, a closed topic and refused markup at once."""
URGENT: Final = (Priority.PAGE, Priority.ANSWER)
CALM: Final = (Tone.OK, Tone.INFO, Tone.MUTED, Tone.WORKING)
TOAST: Final = 80
"""Units that can be read before a toast goes away; longer words come in a box to close."""
ALERT, TEXT = "alert", "text"
"""Kinds of references: words that only one person saw once, and a message."""
FILE: Final = "file"
"""Set in a reference's extras once the whole text went along as a file."""


@dataclass(frozen=True)
class Parts:
    """What a chat works with."""

    client: Client
    pace: PerChat
    budget: Budget
    chores: Chores
    presses: Presses
    inbound: Inbound
    moved: dict[int, int]


class TelegramChat:
    """The ``Chat`` and ``Inlet`` ports."""

    platform = "telegram"

    def __init__(self, parts: Parts) -> None:
        self._client, self._budget = parts.client, parts.budget
        self._chores, self._presses, self._inbound = parts.chores, parts.presses, parts.inbound
        self._moved = parts.moved
        self.pace = parts.pace

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """A new message in the card's place; a private one as an alert on the press, or in the private chat."""
        if card.place.private_to:
            return await self._privately(card, message, words)
        ref = await self._posted(card, _target(card), message, words)
        self._presses.end(card.place.press)
        return ref

    async def edit(self, card: Card, ref: Ref, message: Message, words: Words) -> Ref:
        """Change the message behind *ref*. What was an alert can't be changed: LostReferenceError."""
        if ref.kind != TEXT:
            raise LostReferenceError("an alert can't be changed")
        drawn = render(message, words)
        chat, number = int(ref.chat), int(ref.message)
        self._budget.take(chat, urgent=card.priority in URGENT)
        try:
            await self._change(chat, number, drawn)
        except MovedError as moved:
            self._moved[chat] = chat = moved.chat
            await self._change(chat, number, drawn)
        return self._with_file(card, replace(ref, chat=str(chat)), drawn, message)

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
        drawn = render(message, words)
        target = replace(target, chat=self._moved.get(target.chat, target.chat))
        self._budget.take(target.chat, urgent=card.priority in URGENT)
        chat, number = await self._sent(target, drawn)
        return self._with_file(card, Ref(str(chat), str(number), TEXT), drawn, message)

    async def _sent(self, target: Target, drawn: Rendered) -> tuple[int, int]:
        """Send, and mend once each what Telegram refuses for a reason we know."""
        text, html = drawn.html, True
        for _ in range(MENDS):
            try:
                return await self._client.send(target, text, drawn.keyboard, html=html)
            except MovedError as moved:
                self._moved[target.chat] = moved.chat
                target = replace(target, chat=moved.chat)
            except NoTopicError:
                if target.topic is None and target.reply_to is None:
                    raise
                target = replace(target, topic=None, reply_to=None)
            except MarkupError as error:
                log.error("Telegram refuses our markup", extra={"error": str(error)})  # noqa: TRY400 - its text says all
                text, html = drawn.plain, False
        return await self._client.send(target, text, drawn.keyboard, html=html)

    async def _change(self, chat: int, number: int, drawn: Rendered) -> None:
        try:
            await self._client.edit(chat, number, drawn.html, drawn.keyboard, html=True)
        except UnchangedError:
            return
        except MarkupError as error:
            log.error("Telegram refuses our markup", extra={"error": str(error)})  # noqa: TRY400 - its text says all
            await self._client.edit(chat, number, drawn.plain, drawn.keyboard, html=False)

    async def _privately(self, card: Card, message: Message, words: Words) -> Ref:
        """To one person: on the key they pressed when it fits and is in time, else in their private chat."""
        press, text = card.place.press, brief(message, words)
        if not press or not self._presses.claim(press):
            return await self._to_person(card, message, words)
        if units(text) <= limits.ALERT and not message.buttons and await self._alerted(press, text, message.tone):
            return Ref(card.place.chat, press, ALERT)
        try:
            ref = await self._to_person(card, message, words)
        except PermanentError:
            if await self._alerted(press, clip(text, limits.ALERT), Tone.WARNING):
                return Ref(card.place.chat, press, ALERT)
            raise
        except TemporaryError:
            self._chores.start("press", partial(self._client.answer, press))
            raise
        elsewhere = _plain(phrase("The answer is in our private chat."), words)
        here = card.place.chat == card.place.private_to
        self._chores.start("press", partial(self._client.answer, press, "" if here else elsewhere))
        return ref

    async def _alerted(self, press: str, text: str, tone: Tone) -> bool:
        """False: the press is too old to be answered."""
        box = tone not in CALM or units(text) > TOAST or "\n" in text.strip()
        try:
            await self._client.answer(press, text, alert=box)
        except PermanentError:
            return False
        return True

    async def _to_person(self, card: Card, message: Message, words: Words) -> Ref:
        person = card.place.private_to
        try:
            return await self._posted(card, Target(_number(person)), message, words)
        except PermanentError as error:
            log.warning("no private chat", extra={"account": person, "error": str(error)})
            raise

    def _with_file(self, card: Card, ref: Ref, drawn: Rendered, message: Message) -> Ref:
        """Let the whole text follow, once in a message's life. Recorded first: two files would be worse than none."""
        if not (drawn.shortened and message.whole) or FILE in ref.extra:
            return ref
        name = re.sub(r"[^\w-]+", "-", card.subject).strip("-")[:60] or "pult"
        chat = int(ref.chat)
        target = Target(chat, reply_to=int(ref.message))
        attach = partial(self._client.attach, target, f"{name}.txt", whole(message))
        self._chores.start("file", partial(self._budget.patiently, chat, attach, urgent=False))
        return replace(ref, extra={**ref.extra, FILE: name})


def _target(card: Card) -> Target:
    """The chat, its topic, and the message to answer: the parent's where it stands in the same chat."""
    chat, _, topic = card.place.chat.partition("/")
    parent = card.parent_ref
    answered = parent.message if parent and parent.kind == TEXT else card.place.reply_to
    return Target(_number(chat), _number(topic) if topic else None, _number(answered) if answered else None)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise PermanentError(f"{text!r} is no Telegram id") from None


def _plain(sentence: Phrase, words: Words) -> str:
    return "".join(piece.text for piece in pieces(sentence, words))
