"""Schedules: what is done at its time. Timers stand in the store; what comes round again is asked by its period."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.ports.store import Tx


@dataclass(frozen=True)
class Timed:
    """What a timer of *kind* does, in one transaction with its going: (tx, ident, now).

    ``missed``: what it does instead where nobody was there when it was due: pult was down, or its store away.
    """

    kind: str
    run: Callable[[Tx, str, datetime], None]
    missed: Callable[[Tx, str, datetime], None] | None = None


@dataclass(frozen=True)
class Periodic:
    """*run* again *every* so many seconds. Whatever it raises is logged, and its next round comes all the same.

    Of several replicas one runs it, unless it has to be done *everywhere*: what it renews is in the process itself.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[None]]
    everywhere: bool = False
