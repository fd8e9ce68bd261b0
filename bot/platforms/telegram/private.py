"""For one person: on the key they pressed when it fits and is in time, else in their private chat. Never in public."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from bot.domain.cards import Card, Ref
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.messages import Message, Tone
from bot.domain.phrases import Phrase, Words, phrase, pieces
from bot.platforms.telegram import limits
from bot.platforms.telegram.chores import Chores
from bot.platforms.telegram.client import Client, Target
from bot.platforms.telegram.places import ALERT, Places
from bot.platforms.telegram.presses import Presses
from bot.platforms.telegram.render import brief
from bot.platforms.telegram.text import clip, units

log = logging.getLogger(__name__)
CALM: Final = (Tone.OK, Tone.INFO, Tone.MUTED, Tone.WORKING)
TOAST: Final = 80
"""Units that can be read before a toast goes away; longer words come in a box to close."""
Post = Callable[[Card, Target, Message, Words], Awaitable[Ref]]


class Private:
    """Posts what ``place.private_to`` alone may see. ``post`` puts a card into a chat."""

    def __init__(self, client: Client, chores: Chores, presses: Presses, places: Places, post: Post) -> None:
        self._client, self._chores, self._presses = client, chores, presses
        self._places, self._post = places, post

    async def post(self, card: Card, message: Message, words: Words) -> Ref:
        """PermanentError: they have never written to us, and there is no press to answer."""
        press, text = card.place.press, brief(message, words)
        if not press or not self._presses.claim(press):
            return await self._to_person(card, message, words)
        if units(text) <= limits.ALERT and not message.buttons and await self._alerted(press, text, message.tone):
            return Ref(card.place.chat, press, ALERT)
        try:
            ref = await self._to_person(card, message, words)
        except PermanentError:
            if await self._alerted(press, _begun(text, words), Tone.WARNING):
                return Ref(card.place.chat, press, ALERT)
            raise
        except TemporaryError:
            self._chores.start("press", partial(self._client.answer, press))
            raise
        here = card.place.chat == card.place.private_to
        elsewhere = "" if here else _said(phrase("The answer is in our private chat."), words)
        self._chores.start("press", partial(self._client.answer, press, elsewhere))
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
        try:
            return await self._post(card, self._places.person(card), message, words)
        except PermanentError as error:
            log.warning("no private chat", extra={"account": card.place.private_to, "error": str(error)})
            raise


def _begun(text: str, words: Words) -> str:
    """The beginning of *text*, and how to get all of it."""
    remedy = _said(phrase("For the whole answer open a chat with me and press Start."), words)
    if units(text) <= limits.ALERT:
        return text
    return f"{clip(text, max(0, limits.ALERT - units(remedy) - 1))}\n{remedy}"[: limits.ALERT]


def _said(sentence: Phrase, words: Words) -> str:
    return "".join(piece.text for piece in pieces(sentence, words))
