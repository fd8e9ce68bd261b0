"""The key "Plain": whoever sees a rich message badly makes it a classic one. Nobody else can know."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Final

from bot.domain.phrases import Phrase, Words, phrase, pieces
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.keyboard import PLAIN, Key, Rows
from bot.platforms.telegram.rates import Budget
from bot.platforms.telegram.reading import Plainly
from bot.platforms.telegram.render import Rendered

KEPT: Final = 500
"""Classic forms remembered; of older messages the next change is plain."""
Standing = tuple[int, int]
"""A message: its chat and number."""


class Plain:
    """Remembers the classic form of rich messages, and who asked for it. Lost at a restart: the key stays."""

    def __init__(self, client: Client, budget: Budget) -> None:
        self._client, self._budget = client, budget
        self._forms: OrderedDict[Standing, Rendered] = OrderedDict()
        self._asked: OrderedDict[Standing, None] = OrderedDict()

    def keep(self, chat: int, message: int, drawn: Rendered) -> None:
        """*message* is rich now; *drawn* is what it would be."""
        self._forms[chat, message] = drawn
        _bounded(self._forms)

    def asked(self, chat: int, message: int) -> bool:
        """Whether *message* is to be classic from now on."""
        return (chat, message) in self._asked

    async def press(self, pressed: Plainly, words: Words) -> None:
        """Make the message plain now, or with its next change. PultError: it could not be changed or answered."""
        chat, message = pressed.chat, pressed.message
        self._asked[chat, message] = None
        _bounded(self._asked)
        drawn = self._forms.pop((chat, message), None)
        later = "" if drawn else _said(phrase("It turns plain with its next change."), words)
        await self._client.answer(pressed.press, later)
        if drawn is not None:
            edit = partial(self._client.edit, chat, message, drawn.html, drawn.keyboard, html=True)
            await self._budget.patiently(chat, edit, urgent=True)


def with_key(rows: Rows, words: Words) -> Rows:
    """*rows* and the key."""
    return (*rows, (Key(_said(phrase("Plain"), words), PLAIN),))


def _said(sentence: Phrase, words: Words) -> str:
    return "".join(piece.text for piece in pieces(sentence, words))


def _bounded(remembered: OrderedDict[Standing, Rendered] | OrderedDict[Standing, None]) -> None:
    while len(remembered) > KEPT:
        remembered.popitem(last=False)
