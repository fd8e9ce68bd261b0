"""What an update says: a request, a step of a confirmation, news of a chat, or nothing for us. Pure: wire JSON in.

Wire format: core.telegram.org/bots/api#update. Values that Telegram always sends are read as such: a KeyError,
TypeError or ValueError means that this is no update.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.domain.cards import Place
from bot.domain.requests import Request
from bot.platforms.telegram.keyboard import ASK, BACK, PLAIN, Key, Rows

KINDS: Final = ("message", "callback_query", "my_chat_member")
"""What we ask Telegram for. Edited messages are not among them: a command runs as it was first sent."""
PLATFORM: Final = "telegram"
_COMMAND: Final = re.compile(r"/(\w+)(?:@(\w+))?(?=\s|$)")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Me:
    """Our own account."""

    id: int
    username: str


@dataclass(frozen=True)
class Asked:
    """A person's words, or the command behind a key (then ``press`` is the callback query)."""

    request: Request
    press: str = ""


@dataclass(frozen=True)
class Turn:
    """A press that changes the keys only; ``rows`` are those under the message now."""

    press: str
    place: Place
    chat: int
    message: int
    data: str
    rows: Rows


@dataclass(frozen=True)
class Plainly:
    """A press that makes a rich message a classic one."""

    press: str
    place: Place
    chat: int
    message: int


@dataclass(frozen=True)
class Migrated:
    """A group became a supergroup."""

    old: int
    new: int


@dataclass(frozen=True)
class Membership:
    """What we are in a chat now: member, administrator, left, kicked."""

    chat: int
    status: str


Heard = Asked | Turn | Plainly | Migrated | Membership


def read(update: Json, me: Me, now: datetime) -> Heard | None:
    """What *update* says to us; None when it isn't for us."""
    ident = f"{PLATFORM}:{int(update['update_id'])}"
    if message := update.get("message"):
        return _migrated(message) or _said(message, ident, me, now)
    if query := update.get("callback_query"):
        return _pressed(query, ident, now)
    if change := update.get("my_chat_member"):
        return Membership(change["chat"]["id"], change["new_chat_member"]["status"])
    return None


def _migrated(message: Json) -> Migrated | None:
    if new := message.get("migrate_to_chat_id"):
        return Migrated(message["chat"]["id"], new)
    if old := message.get("migrate_from_chat_id"):
        return Migrated(old, message["chat"]["id"])
    return None


def _said(message: Json, ident: str, me: Me, now: datetime) -> Asked | None:
    account = _account(message)
    text = _for_us(message, me) if account is not None else None
    if account is None or text is None:
        return None
    private = message["chat"]["type"] == "private"
    place = Place(_destination(message), reply_to="" if private else str(message["message_id"]))
    locale = str(message["from"].get("language_code", "")).partition("-")[0]
    return Asked(Request(ident, PLATFORM, account, text, place, place, now, shared=not private, locale=locale))


def _account(message: Json) -> str | None:
    """Whose words these are. Empty: nobody's in particular (an anonymous administrator, a channel). None: no person's.

    What is forwarded was said elsewhere, to somebody else, perhaps by somebody else.
    """
    if "from" not in message or "forward_origin" in message or message.get("is_automatic_forward"):
        return None
    if "sender_chat" in message:
        return ""
    return None if message["from"].get("is_bot") else str(message["from"]["id"])


def _for_us(message: Json, me: Me) -> str | None:
    """The text as a command. In groups: a command that names no other bot, a mention of us, an answer to us."""
    text = str(message.get("text", "")).strip()
    if not text:
        return None
    if command := _COMMAND.match(text):
        if command[2] and command[2].casefold() != me.username.casefold():
            return None
        return "/help" if command[1] == "start" else f"/{command[1]}{text[command.end() :]}"
    mention = re.compile(rf"(?<!\w)@{re.escape(me.username)}(?!\w)[,:]?\s*", re.IGNORECASE)
    bare, mentions = mention.subn("", text)
    if message["chat"]["type"] == "private" or mentions or _answers(message, me):
        return bare.strip() or "/help"
    return None


def _answers(message: Json, me: Me) -> bool:
    """Whether it is an answer to a message of ours. In a topic, every message seems to answer the one that made it."""
    answered = message.get("reply_to_message") or {}
    return answered.get("from", {}).get("id") == me.id and "forum_topic_created" not in answered


def _destination(message: Json) -> str:
    """The chat, with the topic where there is one: a thread of replies carries a thread's id too, but isn't one."""
    topic = f"/{message['message_thread_id']}" if message.get("is_topic_message") else ""
    return f"{PLATFORM}:{message['chat']['id']}{topic}"


def _pressed(query: Json, ident: str, now: datetime) -> Asked | Turn | Plainly | None:
    message, data = query.get("message"), query.get("data")
    if not message or not data:
        return None
    press, account, chat = str(query["id"]), str(query["from"]["id"]), message["chat"]
    destination, number = _destination(message), int(message["message_id"])
    if data == PLAIN:
        return Plainly(press, Place(destination), chat["id"], number)
    if data.startswith((ASK, BACK)):
        return Turn(press, Place(destination), chat["id"], number, data, _rows(message))
    place = Place(destination, reply_to=str(number), press=press)
    private = Place(destination, private_to=account, press=press)
    shared = chat["type"] != "private"
    locale = str(query["from"].get("language_code", "")).partition("-")[0]
    return Asked(
        Request(ident, PLATFORM, account, data, place, private, now, shared=shared, pressed=True, locale=locale), press
    )


def _rows(message: Json) -> Rows:
    """The keys under *message*; none under one that is too old for Telegram to show."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return tuple(
        tuple(Key(key["text"], key.get("callback_data", ""), key.get("url", ""), key.get("style") or "") for key in row)
        for row in rows
    )
