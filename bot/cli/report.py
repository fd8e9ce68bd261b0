"""``pult report``: what a failover or a drill came to, as a Markdown page and a picture, from the store."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.adapters.clock import SystemClock
from bot.adapters.pictures.painter import open_painter
from bot.adapters.sql import open_store
from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.drillreport import Report, reportable
from bot.domain.errors import UserError
from bot.domain.ids import OPERATION, full
from bot.domain.markdown import markdown
from bot.domain.messages import Graph
from bot.domain.phrases import Code
from bot.ports.store import Tx
from config.settings import Settings
from handlers.cards import drill
from handlers.operating import debrief

PATIENCE = 60.0
"""Seconds that the picture may take, the worker's start included: nobody's page waits for it here."""


def page(settings: Settings, written: str, locale: str, picture: Path | None, theme: str) -> str:
    """In the language *locale* and the department's zone. UserError: there is no such move or drill."""
    text, drawn = asyncio.run(_page(settings, full(OPERATION, written), locale, picture, theme))
    if picture is not None:
        picture.write_bytes(drawn)
    return text


async def _page(settings: Settings, ident: str, locale: str, picture: Path | None, theme: str) -> tuple[str, bytes]:
    clock = SystemClock()
    words = Languages(LOCALES, clock).words(locale, settings.chat.timezone)

    def read(tx: Tx) -> Report:
        operation = tx.operation(ident)
        if operation is None or not reportable(operation):
            raise UserError("There is no failover and no drill {id} that has begun.", id=Code(ident))
        return debrief.of(tx, operation, clock.now())

    async with open_store(settings.store.url.get_secret_value()) as store:
        message = drill.whole(await store.read(read))
    drawn = b""
    if picture is not None:
        graph = next(block for block in message.blocks if isinstance(block, Graph))
        async with open_painter(clock, theme, deadline=PATIENCE) as painter:
            drawn = await painter.paint(graph, words)
    return markdown(message, words, picture.name if picture else ""), drawn
