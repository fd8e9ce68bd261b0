"""Opens the paging providers: one session for all, without cookies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import ClientSession, DummyCookieJar

from bot.platforms.webhook.settings import PagerSettings
from bot.ports.clock import Clock

if TYPE_CHECKING:
    from bot.platforms.webhook.transport import WebhookChat


@asynccontextmanager
async def open_pagers(
    pagers: Iterable[PagerSettings], clock: Clock, public_url: str = ""
) -> AsyncGenerator[WebhookChat]:
    """Nobody is spoken to before the first post or ``check``. *public_url*: the console, where people read on."""
    from bot.platforms.webhook.transport import WebhookChat  # noqa: PLC0415 - late, as the others

    async with ClientSession(cookie_jar=DummyCookieJar(), headers={"User-Agent": "pult"}) as session:
        yield WebhookChat(pagers, session, clock, public_url)
