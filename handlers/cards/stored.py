"""Subjects that are nothing but a message: replies and notices."""

from __future__ import annotations

from bot.domain.messages import Message
from bot.domain.phrases import phrase
from bot.ports.presenters import Presenter


def presenter(kind: str) -> Presenter:
    """Messages kept under ``kind:id``."""
    return Presenter(lambda tx, ident: tx.message(f"{kind}:{ident}"), lambda message: message)


def canary() -> Presenter:
    """The canary's card, which nobody reads."""
    return Presenter(lambda _tx, _ident: Message(phrase("canary")), lambda message: message)
