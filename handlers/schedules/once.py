"""Messages that are due at their hour: sent once, also when pult was down at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.domain.cards import Place, Wish, subject
from bot.domain.messages import Message
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx

EVERY = 60.0
DAY = timedelta(days=1)
Draw = Callable[[Tx], Message | None]
Prepare = Callable[[datetime, datetime], Awaitable[Draw]]
"""Asks whatever else there is to ask, before the transaction: (when it is due, when it was due before)."""


def once(
    name: str, store: Store, clock: Clock, destinations: tuple[str, ...],
    due: Callable[[datetime], datetime | None], prepare: Prepare,
) -> Periodic:  # fmt: skip
    """One message for each moment that *due* names, marked with it in the same transaction."""

    def send(tx: Tx, at: datetime, now: datetime, draw: Draw | None) -> None:
        if _known(tx.mark(name), at):  # another replica was faster
            return
        tx.put_mark(name, at)
        if draw is not None and (message := draw(tx)):
            what = subject("notice", f"{name.replace(' ', '-')}:{int(at.timestamp())}")
            tx.put_message(what, message)
            for destination in destinations:
                tx.show(Wish(what, Place(destination)), now)

    async def run() -> None:
        now = clock.now()
        at = due(now)
        last = await store.read(lambda tx: tx.mark(name))
        if at is None or _known(last, at):
            return
        # The first start is no occasion, nor is one that is long past.
        draw = await prepare(at, last) if last is not None and now - at <= DAY else None
        await store.write(lambda tx: send(tx, at, now, draw))

    return Periodic(name, EVERY, run)


def _known(mark: datetime | None, at: datetime) -> bool:
    return mark is not None and mark >= at
