"""The Bot API through python-telegram-bot: typed verdicts out, a deadline on every call. Import it late (0.3 s).

Not its rate limiter: one RetryAfter there stops all chats.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.domain.errors import AmbiguousError
from bot.domain.phrases import phrase
from bot.platforms.telegram.keyboard import Rows
from bot.platforms.telegram.reading import KINDS, Me
from bot.platforms.telegram.rich import PICTURE
from bot.platforms.telegram.settings import TelegramSettings
from bot.platforms.telegram.verdicts import BrokenError, FloodError, MissingError, verdict

T = TypeVar("T")
Sent = tuple[int, int]
"""The new message: its chat and id."""
CONNECT, READ, WRITE, POOL = 5.0, 10.0, 10.0, 5.0
"""Seconds."""
CALL: Final = 14.0
"""Seconds for one call as a whole: two of them fit into a lane's deadline of 30."""
UPLOAD: Final = 60.0
CONNECTIONS: Final = 64
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
_CHATTY = ("httpx", "httpcore", "telegram")
"""Loggers that write addresses, and with them the token, below WARNING."""


@dataclass(frozen=True)
class Target:
    """Where a message goes. ``reply_to`` may be gone by then: the message is sent all the same. No sound when
    ``silent``.
    """

    chat: int
    topic: int | None = None
    reply_to: int | None = None
    silent: bool = False


@dataclass(frozen=True)
class Rich:
    """A rich message's HTML; ``picture``: the PNG that its ``tg://photo?id=graph`` stands for."""

    html: str
    picture: bytes = b""


class Wire(HTTPXRequest):
    """Tells floods, 404 and 5xx apart by their status. (The library's RetryAfter warns of its own future.)"""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:  # noqa: ANN401 - passed through
        """FloodError, MissingError, BrokenError, and what the library raises."""
        status, body = await super().do_request(*args, **kwargs)
        if status == 429:
            raise FloodError(_retry_after(body))
        if status == 404:
            raise MissingError("Not Found")
        if status >= 500:
            raise BrokenError(f"HTTP {status}")
        return status, body


def _retry_after(body: bytes) -> float | None:
    try:
        return float(json.loads(body)["parameters"]["retry_after"])
    except (ValueError, LookupError, TypeError):
        return None


class _RawBot(Bot):
    async def raw_updates(self, offset: int | None, seconds: int) -> list[dict[str, Any]]:
        """getUpdates, unread: one update the library can't read would hold up all others for ever."""
        data: dict[str, Any] = {"timeout": seconds, "allowed_updates": list(KINDS)}
        if offset is not None:
            data["offset"] = offset
        found = await self._post("getUpdates", data, read_timeout=READ + seconds)
        return found if isinstance(found, list) else []

    async def rich(self, method: str, data: dict[str, Any], body: Rich) -> Any:  # noqa: ANN401 - the answer's JSON
        """A method with a rich message, which the library has no name for: its picture goes along as a file."""
        said: dict[str, Any] = {"html": body.html, "skip_entity_detection": True}
        if body.picture:
            photo = {"type": "photo", "media": f"attach://{PICTURE}"}
            said["media"] = [{"id": PICTURE, "media": photo}]
            data[PICTURE] = InputFile(body.picture, filename=f"{PICTURE}.png")
        return await self._post(method, {**data, "rich_message": said})


class Client:
    """One bot. Every call raises PultError: the verdicts of verdicts.py, AmbiguousError past its deadline."""

    def __init__(self, settings: TelegramSettings) -> None:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
        base = settings.api_url.rstrip("/")
        self._wires = (_wire(CONNECTIONS), _wire(2))
        self._bot = _RawBot(
            settings.bot_token.get_secret_value(),
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._wires[0],
            get_updates_request=self._wires[1],
        )

    async def close(self) -> None:
        """Give the connections back."""
        for wire in self._wires:
            await wire.shutdown()

    async def me(self) -> Me:
        """Who we are."""
        found = await _call(self._bot.get_me())
        return Me(found.id, found.username or "")

    async def send(self, target: Target, text: str, rows: Rows, *, html: bool) -> Sent:
        """A new text message."""
        sent = await _call(
            self._bot.send_message(
                text=text,
                parse_mode=_mode(html=html),
                link_preview_options=_NO_PREVIEW,
                **_where(target, rows),
            )
        )
        return sent.chat.id, sent.message_id

    async def send_photo(self, target: Target, png: bytes, text: str, rows: Rows, *, html: bool) -> Sent:
        """A picture under its words: the verdict comes first."""
        sent = await _call(
            self._bot.send_photo(
                photo=InputFile(png, filename=f"{PICTURE}.png"),
                caption=text,
                parse_mode=_mode(html=html),
                show_caption_above_media=True,
                **_where(target, rows),
            )
        )
        return sent.chat.id, sent.message_id

    async def send_rich(self, target: Target, body: Rich, rows: Rows) -> Sent:
        """A rich message. NoMethodError: this server is older than Bot API 10.1."""
        given = {name: value for name, value in _where(target, rows).items() if value is not None}
        sent = await _call(self._bot.rich("sendRichMessage", given, body))
        return int(sent["chat"]["id"]), int(sent["message_id"])

    async def edit(self, chat: int, message: int, text: str, rows: Rows, *, html: bool) -> None:
        """Change text and keys. The topic is never named in an edit: Telegram refuses it."""
        await _call(
            self._bot.edit_message_text(
                text,
                chat_id=chat,
                message_id=message,
                parse_mode=_mode(html=html),
                reply_markup=_markup(rows),
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def edit_caption(self, chat: int, message: int, text: str, rows: Rows, *, html: bool) -> None:
        """Change the words with a picture, and the keys."""
        await _call(
            self._bot.edit_message_caption(
                chat,
                message,
                caption=text,
                parse_mode=_mode(html=html),
                show_caption_above_media=True,
                reply_markup=_markup(rows),
            )
        )

    async def edit_photo(self, chat: int, message: int, png: bytes, text: str, rows: Rows) -> None:
        """Change the picture with its words and keys."""
        photo = InputMediaPhoto(
            InputFile(png, filename=f"{PICTURE}.png", attach=True), text, "HTML", show_caption_above_media=True
        )
        await _call(self._bot.edit_message_media(photo, chat, message, reply_markup=_markup(rows)))

    async def edit_rich(self, chat: int, message: int, body: Rich, rows: Rows) -> None:
        """Change a rich message."""
        given: dict[str, Any] = {"chat_id": chat, "message_id": message}
        if rows:
            given["reply_markup"] = _markup(rows)
        await _call(self._bot.rich("editMessageText", given, body))

    async def show_keys(self, chat: int, message: int, rows: Rows) -> None:
        """Change the keys alone."""
        await _call(self._bot.edit_message_reply_markup(chat, message, reply_markup=_markup(rows)))

    async def attach(self, target: Target, name: str, content: bytes) -> None:
        """A file."""
        file = InputFile(content, filename=name)
        sending: Awaitable[Message] = self._bot.send_document(document=file, **_where(target, ()))
        await _call(sending, UPLOAD)

    async def answer(self, press: str, text: str = "", *, alert: bool = False) -> None:
        """End a press: with *text* for the one who pressed, in a box to close when it is an *alert*."""
        await _call(self._bot.answer_callback_query(press, text or None, show_alert=alert))

    async def updates(self, offset: int | None, seconds: int) -> Sequence[Mapping[str, Any]]:
        """Wait up to *seconds* for updates from *offset* on; those before it are forgotten."""
        return await _call(self._bot.raw_updates(offset, seconds), CALL + seconds)

    async def set_webhook(self, url: str, secret: str) -> None:
        """Have updates posted to *url*."""
        await _call(self._bot.set_webhook(url, secret_token=secret, allowed_updates=list(KINDS)))

    async def drop_webhook(self) -> None:
        """Have updates kept for polling. Nothing that waits is dropped."""
        await _call(self._bot.delete_webhook(drop_pending_updates=False))

    async def set_commands(self, language: str, commands: Iterable[tuple[str, str]]) -> None:
        """The menu of names and descriptions; an empty *language* is everybody else's."""
        told = [BotCommand(name, description) for name, description in commands]
        await _call(self._bot.set_my_commands(told, language_code=language or None))


def _wire(connections: int) -> Wire:
    return Wire(connections, READ, WRITE, CONNECT, POOL)


async def _call(work: Awaitable[T], seconds: float = CALL) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise AmbiguousError(phrase("Telegram did not answer in time")) from error
    except TelegramError as error:
        raise verdict(error) from error


def _mode(*, html: bool) -> str | None:
    return "HTML" if html else None


def _where(target: Target, rows: Rows) -> dict[str, Any]:
    """What every sending method is told alike."""
    return {
        "chat_id": target.chat,
        "message_thread_id": target.topic,
        "reply_parameters": _reply(target),
        "disable_notification": target.silent or None,
        "reply_markup": _markup(rows),
    }


def _reply(target: Target) -> ReplyParameters | None:
    if target.reply_to is None:
        return None
    return ReplyParameters(target.reply_to, allow_sending_without_reply=True)


def _markup(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    key.text, callback_data=key.data or None, url=key.url or None, style=key.style or None
                )
                for key in row
            ]
            for row in rows
        ]
    )
