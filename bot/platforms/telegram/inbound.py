"""Updates in: by polling or over HTTP, each stored before Telegram is told that we have it."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bot.domain.errors import PultError, RateLimitedError, TemporaryError
from bot.domain.requests import Request
from bot.platforms.telegram import limits
from bot.platforms.telegram.chores import Chores
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.keyboard import turned
from bot.platforms.telegram.places import Places
from bot.platforms.telegram.plain import Plain
from bot.platforms.telegram.presses import Presses
from bot.platforms.telegram.rates import Budget
from bot.platforms.telegram.reading import Asked, Heard, Me, Membership, Migrated, Plainly, Turn, read
from bot.platforms.telegram.settings import TelegramSettings
from bot.ports.chat import Ask, HttpAnswer, WordsFor
from bot.ports.clock import Clock

log = logging.getLogger(__name__)
PATH: Final = "/telegram/updates"
SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header's name
FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0
"""Seconds between two tries while Telegram or the store is away."""

Menu = Sequence[tuple[str, Mapping[str, str]]]
"""Commands by name, each with its description by locale."""


class Inbound:
    """Hears people, and what happens to the chats they are in."""

    def __init__(  # noqa: PLR0913 - what an update may touch
        self,
        client: Client,
        settings: TelegramSettings,
        clock: Clock,
        *,
        budget: Budget,
        presses: Presses,
        chores: Chores,
        places: Places,
        plain: Plain,
        words: WordsFor,
        menu: Menu,
        public_url: str,
    ) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._budget, self._presses, self._chores = budget, presses, chores
        self._places, self._plain, self._words = places, plain, words
        self._menu, self._public_url = menu, public_url.rstrip("/")
        self._ask: Ask | None = None
        self._me: Me | None = None

    async def listen(self, ask: Ask) -> None:
        """Hear until cancelled. PultError: it could not be set up; call again."""
        self._me, self._ask = await self._client.me(), ask
        await self._tell_menu()
        if self._settings.mode == "polling":
            await self._client.drop_webhook()
            await self._poll()
        else:
            if self._public_url:
                await self._client.set_webhook(f"{self._public_url}{PATH}", self._secret())
            await asyncio.Event().wait()

    async def receive(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """One update over HTTP: 200 once it is stored, 401 without the secret, 503 when it can't be stored now."""
        given, secret = headers.get(SECRET_HEADER, ""), self._secret()
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            return HttpAnswer(401, "wrong secret")
        try:
            update = json.loads(body)
        except ValueError:
            update = None
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            return HttpAnswer(400, "this is no update")
        try:
            await self._take(update)
        except TemporaryError as error:
            log.warning("update not stored", extra={"update": update["update_id"], "error": str(error)})
            return HttpAnswer(503, "not now")
        return HttpAnswer(200)

    def _secret(self) -> str:
        secret = self._settings.webhook_secret
        return secret.get_secret_value() if secret else ""

    async def _poll(self) -> None:
        seconds, offset, pause = max(1, round(self._settings.poll)), None, FIRST_PAUSE
        while True:
            try:
                for update in await self._client.updates(offset, seconds):
                    await self._take(update)
                    offset = int(update["update_id"]) + 1
                pause = FIRST_PAUSE
            except PultError as error:
                asked = error.delay if isinstance(error, RateLimitedError) else None
                log.warning("not hearing", extra={"error": str(error)})
                await self._clock.sleep(pause if asked is None else asked)
                pause = min(LAST_PAUSE, pause * 2)

    async def _take(self, update: Mapping[str, Any]) -> None:
        """Act on one update. TemporaryError: it could not be stored, so it must come again."""
        if self._me is None or self._ask is None:
            raise TemporaryError("not connected yet")
        heard = self._read(update, self._me)
        match heard:
            case Asked(request, press):
                await self._stored(self._ask, request, press)
            case Turn():
                self._chores.start("keys", partial(self._turn, heard))
            case Migrated(old, new):
                self._places.moved(old, new)
                log.warning("a group has a new id", extra={"old": old, "new": new})
            case Plainly(_, place):
                self._chores.start("plain", partial(self._plain.press, heard, self._words(place)))
            case Membership(chat, status):
                self._places.invited(chat)
                log.info("membership", extra={"chat": chat, "status": status})
            case None:
                return

    def _read(self, update: Mapping[str, Any], me: Me) -> Heard | None:
        try:
            return read(update, me, self._clock.now())
        except (LookupError, TypeError, ValueError, AttributeError):
            log.exception("unreadable update", extra={"update": update.get("update_id")})
            return None

    async def _stored(self, ask: Ask, request: Request, press: str) -> None:
        if press:
            self._presses.arrived(press)
        try:
            await ask(request)
        except TemporaryError:
            raise
        except Exception:  # it would come again and again, and keep all others away
            log.exception("request not taken", extra={"request": request.id})

    async def _turn(self, turn: Turn) -> None:
        """Ask for the second press, or go back."""
        self._chores.start("press", partial(self._client.answer, turn.press))
        rows = turned(turn.rows, turn.data, self._words(turn.place))
        if rows is not None:
            show = partial(self._client.show_keys, turn.chat, turn.message, rows)
            await self._budget.patiently(turn.chat, show, urgent=True)

    async def _tell_menu(self) -> None:
        """The list that Telegram shows at "/", per language; the first one is also everybody else's. Best effort."""
        locales = dict.fromkeys(locale for _, texts in self._menu for locale in texts)
        for at, locale in enumerate(locales):
            listed = [
                (name, texts[locale][: limits.DESCRIPTION])
                for name, texts in self._menu
                if texts.get(locale) and re.fullmatch(limits.COMMAND, name)
            ][: limits.COMMANDS]
            if not listed:
                continue
            try:
                await self._client.set_commands("" if at == 0 else locale, listed)
            except PultError as error:
                log.warning("menu not set", extra={"locale": locale, "error": str(error)})
