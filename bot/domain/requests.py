"""Requests: a person's words, kept under the platform's event id until they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.cards import Place
from bot.domain.codec import stored


@dataclass(frozen=True)
class Request:
    """``id`` is the platform's event id, prefixed with its name, so that a redelivery is the same request.

    ``place`` is where an answer to everybody goes, ``private`` where one to this person alone goes; ``shared`` tells
    that ``place`` has other readers. ``text`` is what was typed, or the command behind a pressed button (``pressed``).
    """

    id: str
    platform: str
    account: str
    text: str
    place: Place
    private: Place
    received_at: datetime
    shared: bool = True
    pressed: bool = False
    locale: str = ""


stored(Request)
