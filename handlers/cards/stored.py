"""Subjects that are nothing but a message: replies and notices."""

from __future__ import annotations

from bot.ports.presenters import Presenter


def presenter(kind: str) -> Presenter:
    """Messages kept under ``kind:id``."""
    return Presenter(lambda tx, ident: tx.message(f"{kind}:{ident}"), lambda message: message)
