"""The report of a failover or a drill, posted under its card in the moment it ends, and told again when asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.cards import Priority, replies, subject
from bot.domain.contacts import Roll, rolled
from bot.domain.drillreport import Report, reportable, reported
from bot.domain.operations import Operation
from bot.domain.phrases import Words
from bot.ports.store import Tx
from handlers.cards import drill

ENDED, KEPT = "moves ended", 500
"""Mark that lists the ids of those that have ended, the oldest first, and how many: years of weekly drills."""
SILENT = frozenset({"canary", "webhook"})
"""Platforms nobody reads reports on: the canary's, and paging providers'."""


def of(tx: Tx, operation: Operation, now: datetime) -> Report:
    """What *operation* came to, with what its contact check knows by *now*."""
    roll: Roll | None = tx.mark(rolled(operation.id))
    return reported(operation, roll, now)


def past(tx: Tx) -> tuple[Operation, ...]:
    """Every move and drill that has ended, the latest first."""
    found = (tx.operation(ident) for ident in reversed(tx.mark(ENDED) or ()))
    return tuple(each for each in found if each is not None)


def posting(words: Words) -> Callable[[Tx, Operation, datetime], None]:
    """Told of each turn of an operation; *words*: the language of the file that goes along."""

    def turned(tx: Tx, operation: Operation, now: datetime) -> None:
        if not (operation.final and reportable(operation)):
            return
        note, above = subject("notice", f"{operation.id}/report"), subject("op", operation.id)
        if tx.message(note) is not None:
            return
        tx.put_message(note, drill.card(of(tx, operation, now), words))
        tx.put_mark(ENDED, (*(tx.mark(ENDED) or ()), operation.id)[-KEPT:])
        for wish in replies(tx.cards_of(above), note, Priority.NORMAL, SILENT):
            tx.show(wish, now)

    return turned
