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


class FloodError(TelegramError):
    """429. ``seconds``: how long to wait, None when the server did not say."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("Too many requests")
        self.seconds = seconds


class BrokenError(TelegramError):
    """5xx: what was asked may have been done."""


class MovedError(PermanentError):
    """The group became a supergroup; *chat* is its id now."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"the group has become a supergroup: its id is {chat} now")
        self.chat = chat


class NoTopicError(PermanentError):
    """The topic is closed or gone."""


class MarkupError(PermanentError):
    """Our HTML is refused."""


class UnchangedError(PermanentError):
    """The message says this already."""


_REFUSALS: Final[tuple[tuple[str, type[PermanentError]], ...]] = (
    ("message is not modified", UnchangedError),
    ("message to edit not found", LostReferenceError),
    ("message can't be edited", LostReferenceError),
    ("there is no text in the message to edit", LostReferenceError),
    ("message_id_invalid", LostReferenceError),
    ("message thread not found", NoTopicError),
    ("topic_closed", NoTopicError),
    ("topic_deleted", NoTopicError),
    ("can't parse entities", MarkupError),
)
"""Texts of tdlib/telegram-bot-api (Client.cpp), in lower case: the library changes the case of some."""
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def verdict(error: TelegramError) -> PultError:
    """What *error* means for the one who asked. The texts never carry the token."""
    match error:
        case FloodError():
            return RateLimitedError("Telegram's rate limit", error.seconds)
        case BadRequest():
            return refusal(str(error))
        case ChatMigrated():
            return MovedError(error.new_chat_id)
        case InvalidToken():
            return PermanentError("Telegram refuses the bot token")
        case Forbidden():
            return PermanentError(str(error))
        case Conflict():
            return TemporaryError(str(error))
        case NetworkError() if isinstance(error.__cause__, _UNSENT):
            return TemporaryError(f"Telegram is out of reach: {type(error.__cause__).__name__}")
        case _:
            return AmbiguousError(f"no clear answer from Telegram: {type(error.__cause__ or error).__name__}")


def refusal(text: str) -> PermanentError:
    """The verdict on a 400."""
    low = text.casefold()
    found = next((kind for start, kind in _REFUSALS if start in low), PermanentError)
    return found(text)
