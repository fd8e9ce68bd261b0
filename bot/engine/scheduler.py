"""The scheduler: runs each timer once, when it is due, in one transaction with the work it stands for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from bot.domain.errors import TemporaryError
from bot.engine.supervise import every
from bot.ports.clock import Clock
from bot.ports.schedules import Timed
from bot.ports.store import Store, Tx
from bot.ports.timetable import Timer

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
AT_ONCE = 100
"""Timers read at a time: a store that was away for an hour is worked off without holding up others."""
AGAIN = timedelta(minutes=1)
"""When a timer whose work failed is tried again: one that always fails must not stop the others."""


MISSED = timedelta(minutes=1)
"""A timer that goes off later than this was due while pult was not there; while it is, it looks each second."""


class Scheduler:
    """A timer that was due while pult was down runs at the next start; of several replicas one runs it."""

    def __init__(self, store: Store, clock: Clock, timed: Iterable[Timed]) -> None:
        self._store, self._clock = store, clock
        self._timed = {each.kind: each for each in timed}

    async def run(self) -> None:
        """Run timers until cancelled."""
        await every(LOOK_EVERY, "timers", self.sweep, self._clock)

    async def sweep(self) -> None:
        """Run what is due now."""
        while True:
            now = self._clock.now()
            ripe = await self._store.read(lambda tx, now=now: tx.ripe_timers(now, AT_ONCE))  # type: ignore[misc]
            for timer in ripe:
                await self._go_off(timer)
            if len(ripe) < AT_ONCE:
                return

    async def _go_off(self, timer: Timer) -> None:
        try:
            await self._store.write(lambda tx: self._work(tx, timer))
        except TemporaryError:
            raise
        except Exception:
            log.exception("timer failed", extra={"kind": timer.kind, "ident": timer.ident})
            later = self._clock.now() + AGAIN
            await self._store.write(lambda tx: tx.set_timer(timer.kind, timer.ident, later))

    def _work(self, tx: Tx, timer: Timer) -> None:
        if tx.timer(timer.kind, timer.ident) != timer.at:
            return  # it was put off meanwhile, or another replica ran it
        tx.drop_timer(timer.kind, timer.ident)
        if timed := self._timed.get(timer.kind):
            now = self._clock.now()
            missed = timed.missed if now - timer.at > MISSED else None
            (missed or timed.run)(tx, timer.ident, now)
        else:
            log.error("a timer of no known kind", extra={"kind": timer.kind, "ident": timer.ident})
