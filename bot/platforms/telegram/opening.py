"""Opens Telegram. Cheap to import: python-telegram-bot, which takes 0.3 s, comes with the first opening."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.domain.cards import Place
from bot.domain.phrases import English, Words
from bot.platforms.telegram.settings import TelegramSettings
from bot.ports.clock import Clock
from bot.ports.painter import Painter

if TYPE_CHECKING:
    from bot.platforms.telegram.transport import TelegramChat
    from bot.ports.chat import WordsFor


def english(_: Place) -> Words:
    """Everybody reads English."""
    return English()


@asynccontextmanager
async def open_telegram(
    settings: TelegramSettings,
    clock: Clock,
    *,
    words: WordsFor = english,
    commands: Sequence[tuple[str, Mapping[str, str]]] = (),
    public_url: str = "",
    painter: Painter | None = None,
) -> AsyncGenerator[TelegramChat]:
    """A bot, not yet connected: no call is made before the first post, ``listen`` or ``check``.

    ``words``: the language of keys that a press puts under a message. ``commands``: the menu, names with descriptions
    by locale, the first locale also for everybody else. ``public_url``: in webhook mode, where Telegram finds us.
    ``painter``: draws graphs; without one they are said in words.
    """
    from bot.platforms.telegram.chores import Chores  # noqa: PLC0415 - late on purpose
    from bot.platforms.telegram.client import Client  # noqa: PLC0415
    from bot.platforms.telegram.forms import Forms  # noqa: PLC0415
    from bot.platforms.telegram.inbound import Inbound  # noqa: PLC0415
    from bot.platforms.telegram.pictures import Pictures  # noqa: PLC0415
    from bot.platforms.telegram.places import Places  # noqa: PLC0415
    from bot.platforms.telegram.plain import Plain  # noqa: PLC0415
    from bot.platforms.telegram.presses import Presses  # noqa: PLC0415
    from bot.platforms.telegram.rates import Budget, PerChat  # noqa: PLC0415
    from bot.platforms.telegram.transport import Parts, TelegramChat  # noqa: PLC0415

    client, chores, places = Client(settings), Chores(), Places(clock)
    budget = Budget(settings, clock)
    plain = Plain(client, budget)
    forms = Forms(settings.rich, Pictures(painter, clock), places, plain)
    presses = Presses(client, clock, chores)
    inbound = Inbound(
        client, settings, clock, budget=budget, presses=presses, chores=chores, places=places, plain=plain, words=words,
        menu=commands, public_url=public_url,
    )  # fmt: skip
    parts = Parts(client, PerChat(settings), budget, chores, presses, inbound, places, forms)
    try:
        yield TelegramChat(parts)
    finally:
        await chores.close()
        await client.close()
