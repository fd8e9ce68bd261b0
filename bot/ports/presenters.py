"""Presenters: from a card's subject to the message it shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.messages import Message
from bot.ports.store import Tx


@dataclass(frozen=True)
class Presenter:
    """``load`` reads the subject's state inside a transaction, None when it is gone; ``draw`` makes the message.

    ``enrich`` may add what other systems know (a value, a graph); it has one second, else the message goes without.
    """

    load: Callable[[Tx, str], Any]
    draw: Callable[[Any], Message]
    enrich: Callable[[Any, Message], Awaitable[Message]] | None = None


Presenters = Mapping[str, Presenter]
"""By the kind of subject: alert, op, release, reply, notice."""
