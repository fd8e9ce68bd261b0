"""What the library raises, as pult's verdicts. ``BadRequest`` is a network error there, so it goes first."""

from __future__ import annotations

from typing import Final

import httpx
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, TelegramError

from bot.domain.errors import (
    AmbiguousError,
    LostReferenceError,
    PermanentError,
    PultError,
    RateLimitedError,
    TemporaryError,
)
from bot.domain.phrases import Code, Phrase, phrase


class FloodError(TelegramError):
    """429. ``seconds``: how long to wait, None when the server did not say."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("Too many requests")
        self.seconds = seconds


class BrokenError(TelegramError):
    """5xx: what was asked may have been done."""


class MissingError(TelegramError):
    """404. (The library takes it for a wrong token.)"""


class MovedError(PermanentError):
    """The group became a supergroup; *chat* is its id now."""

    def __init__(self, chat: int) -> None:
        super().__init__(phrase("the group has become a supergroup: its id is {chat} now", chat=Code(str(chat))))
        self.chat = chat


class AwayError(PermanentError):
    """We may not write to this chat until somebody mends that. The text says what to do."""


class NoMethodError(AwayError):
    """404: this server doesn't know the method, or the token isn't one."""


class NoTopicError(PermanentError):
    """The topic is closed or gone."""


class RefusedError(PermanentError):
    """Telegram doesn't take this form; nothing was shown."""


class NoMediaError(RefusedError):
    """We may write to this chat, but send no pictures."""


class MarkupError(RefusedError):
    """Our HTML is refused, or too long."""


class WrongKindError(RefusedError):
    """A caption was edited as text, or a text as a caption; nothing was changed."""


class UnchangedError(PermanentError):
    """The message says this already."""


_TOKEN: Final = phrase(
    "Telegram refuses the bot token: put a new one from @BotFather into telegram.bot_token, and restart"
)
_METHOD: Final = phrase(
    "Telegram knows neither this bot nor this method: check telegram.bot_token and telegram.api_url"
)
_NO_CHAT: Final = phrase("Telegram knows no such chat: check its id in the configuration, and invite the bot there")
_MUTED: Final = phrase("the bot may not write in this chat: let it send messages")
_OUTSIDE: Final = phrase("the bot is not in this chat: invite it")
_GONE: Final = phrase("this Telegram account no longer exists: take it out of [[people]]")
_Kinds = tuple[tuple[str, type[PermanentError]], ...]
_REFUSALS: Final[_Kinds] = (
    ("message is not modified", UnchangedError),
    ("message to edit not found", LostReferenceError),
    ("message can't be edited", LostReferenceError),
    ("message_id_invalid", LostReferenceError),
    ("there is no text in the message to edit", WrongKindError),
    ("there is no caption in the message to edit", WrongKindError),
    ("message thread not found", NoTopicError),
    ("topic_closed", NoTopicError),
    ("topic_deleted", NoTopicError),
    ("can't parse entities", MarkupError),
    ("message is too long", MarkupError),
    ("caption is too long", MarkupError),
    ("media_caption_too_long", MarkupError),
    ("not enough rights to send photos", NoMediaError),
    ("have no rights to send a photo", NoMediaError),
    ("chat_send_photos_forbidden", NoMediaError),
    ("chat_send_media_forbidden", NoMediaError),
)
_CLOSED: Final[tuple[tuple[str, Phrase], ...]] = (
    ("chat not found", _NO_CHAT),
    ("peer_id_invalid", _NO_CHAT),
    ("not enough rights to send text messages", _MUTED),
    ("have no rights to send a message", _MUTED),
    ("chat_write_forbidden", _MUTED),
    ("chat_restricted", _MUTED),
    ("was kicked", phrase("the bot was removed from this chat: invite it again")),
    ("is not a member", _OUTSIDE),
    ("was blocked by the user", phrase("this person has blocked the bot: they must unblock it")),
    (
        "can't initiate conversation",
        phrase("this person has never written to the bot: they must open it and press Start"),
    ),
    ("user is deactivated", _GONE),
    ("input_user_deactivated", _GONE),
    ("group chat was deleted", phrase("this group was deleted: change the route")),
    ("group chat was deactivated", phrase("this group was closed: change the route")),
)
"""Texts of tdlib/telegram-bot-api (Client.cpp), in lower case: the library changes the case of some."""
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def verdict(error: TelegramError) -> PultError:
    """What *error* means for the one who asked. The texts never carry the token."""
    match error:
        case FloodError():
            return RateLimitedError("Telegram's rate limit", error.seconds)
        case BadRequest() | Forbidden():
            return refusal(str(error), AwayError if isinstance(error, Forbidden) else RefusedError)
        case MissingError():
            return NoMethodError(_METHOD)
        case ChatMigrated():
            return MovedError(error.new_chat_id)
        case InvalidToken():
            return AwayError(_TOKEN)
        case Conflict():
            return TemporaryError(str(error))
        case NetworkError() if isinstance(error.__cause__, _UNSENT):
            why = f"Telegram is out of reach: {type(error.__cause__).__name__}"
            return TemporaryError(why, said=phrase("Telegram can't be reached"))
        case _:
            why = f"no clear answer from Telegram: {type(error.__cause__ or error).__name__}"
            return AmbiguousError(why, said=phrase("Telegram gives no answer"))


def refusal(text: str, other: type[PermanentError]) -> PermanentError:
    """The verdict on a 400 or 403; *other* when its text is not known."""
    low = text.casefold()
    for part, remedy in _CLOSED:
        if part in low:
            return AwayError(remedy)
    found = next((kind for part, kind in _REFUSALS if part in low), other)
    return found(text, phrase("Telegram answers {text}", text=Code(text)))
