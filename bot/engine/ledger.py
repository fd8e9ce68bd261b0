"""The ledger: what people see of an operation on its way, written as it goes; waits for a store that is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from bot.domain.approvals import contends
from bot.domain.audit import own
from bot.domain.cards import Priority, replies, subject
from bot.domain.codec import decode, encode
from bot.domain.errors import PultError, UnavailableError
from bot.domain.messages import Aside, Button, Message, StepMark, Style, Tone
from bot.domain.operations import UNDER_WAY, Choice, Operation, State, StepReport
from bot.domain.phrases import Code, Phrase, phrase
from bot.engine.meters import Meters
from bot.ports.clock import Clock
from bot.ports.flows import Turned
from bot.ports.store import Store, Tx

log = logging.getLogger(__name__)
T = TypeVar("T")
STORE_RETRY = 1.0
TURN = 1.0
"""Seconds between two looks whether the operation before has ended."""


class Ledger:
    """Every method may run again after a crash and then changes nothing more."""

    def __init__(self, store: Store, clock: Clock, meters: Meters, turned: Turned) -> None:
        self._store, self._clock, self._meters, self._turned = store, clock, meters, turned

    async def begin(self, ident: str) -> Any:  # noqa: ANN401 - JSON out
        """The operation, from now on running, as JSON. It waits while another is under way for its target: both may
        have been started before either had begun, by one sweep or by two replicas."""
        while (operation := await self._write(lambda tx: self._begun(tx, ident))).state is State.APPROVED:
            await self._clock.sleep(TURN)
        return encode(operation)

    def _begun(self, tx: Tx, ident: str) -> Operation:
        operation, now = _row(tx, ident), self._clock.now()
        if free(tx, ident):
            operation = replace(operation.moved(State.RUNNING), started_at=now)
            self._save(tx, operation, now)
            tx.append(own(now, operation.plan.action, ident, "running", operation.plan.hash))
        return operation

    async def end(self, ident: str, state: str, said: Any) -> None:  # noqa: ANN401 - JSON in
        """How it ended, and what is said of it."""
        now = self._clock.now()

        def ended(tx: Tx) -> Operation:
            operation = _row(tx, ident)
            if not operation.final:
                operation = replace(operation.moved(State(state)), ended_at=now, result=decode(said), choices=())
                self._save(tx, operation, now)
                tx.bump(subject("ask", ident), now)
                tx.append(own(now, operation.plan.action, ident, state, decode(said).plain()))
            return operation

        operation = await self._write(ended)
        self._meters.operation.labels(operation.plan.action, state).inc()

    async def report(self, ident: str, report: StepReport) -> None:
        """Show how far one step is."""
        now = self._clock.now()

        def record(tx: Tx) -> None:
            operation = _row(tx, ident)
            before = operation.report(report.name)
            if before and before.mark is report.mark:
                tx.save_operation(operation.reported(report))
                tx.bump(subject("op", ident), now)
            else:
                self._save(tx, operation.reported(report), now)

        await self._write(record)

    async def started(self, ident: str, name: str) -> datetime:
        """When the step first began: a crash in its middle does not start the count anew."""
        operation = await self._store.read(lambda tx: _row(tx, ident))
        report = operation.report(name)
        return (report and report.mark is StepMark.RUNNING and report.started_at) or self._clock.now()

    async def pause(self, ident: str, choices: tuple[Choice, ...], news: Any = None) -> int:  # noqa: ANN401 - JSON in
        """Show the failed step's choices; which pause of the operation this is.

        *news*: ``key`` and what is ``said``, where an edit alone would be missed.
        """
        now = self._clock.now()

        def paused(tx: Tx) -> int:
            operation = _row(tx, ident)
            if operation.state is not State.PAUSED:
                operation = replace(operation.moved(State.PAUSED), choices=choices).stalled(now)
                self._turn(tx, operation, now)
                if news:
                    undo = Button(phrase("Undo"), f"resume {ident} undo", style=Style.DANGER)
                    buttons = (undo,) if Choice.UNDO in choices else ()
                    _tell(tx, ident, news["key"], decode(news["said"]), buttons, now)
            return operation.pauses

        return await self._write(paused)

    async def resume(self, ident: str) -> None:
        """Go on after a choice."""
        now = self._clock.now()

        def resumed(tx: Tx) -> None:
            operation = _row(tx, ident)
            if operation.state is not State.RUNNING:
                self._turn(tx, replace(operation.moved(State.RUNNING), choices=()).released(now), now)

        await self._write(resumed)

    async def turn_back(self, ident: str, why: Any) -> str:  # noqa: ANN401 - JSON in
        """From now on it is undone; when that began. *why*: pult itself decided so, and says it."""
        now = self._clock.now()

        def turned(tx: Tx) -> None:
            operation = _row(tx, ident)
            detail = decode(why).plain() if why else ""
            tx.append(own(now, operation.plan.action, ident, "undoing", detail))
            if why:
                said = phrase("{why} It is undone now, as the service's verification says.", why=decode(why))
                _tell(tx, ident, "undo", said, (), now)

        await self._write(turned)
        return now.isoformat()

    def _turn(self, tx: Tx, operation: Operation, now: datetime) -> None:
        self._save(tx, operation, now)
        tx.append(own(now, operation.plan.action, operation.id, str(operation.state)))

    def _save(self, tx: Tx, operation: Operation, now: datetime) -> None:
        tx.save_operation(operation)
        tx.bump(subject("op", operation.id), now)
        self._turned(tx, operation, now)

    async def skip(self, ident: str, name: str) -> None:
        """Mark a failed step as skipped."""
        await self.report(ident, StepReport(name, StepMark.SKIPPED))

    async def _write(self, work: Callable[[Tx], T]) -> T:
        """Commit *work*, waiting for a store that is away: an operation under way must not fail because of it."""
        while True:
            try:
                return await self._store.write(work)
            except UnavailableError as error:
                log.warning("operation waits for the store", extra={"error": str(error)})
                await self._clock.sleep(STORE_RETRY)


def _tell(tx: Tx, ident: str, key: str, said: Phrase, buttons: tuple[Button, ...], now: datetime) -> None:
    """A reply under the operation's card, wherever it stands and an edit could be missed."""
    note, above = subject("notice", f"{ident}/{key}"), subject("op", ident)
    if tx.message(note) is not None:
        return
    tx.put_message(note, Message(said, Tone.CRITICAL, (Aside(phrase("{id}", id=Code(ident))),), buttons))
    for wish in replies(tx.cards_of(above), note, Priority.PAGE):
        tx.show(wish, now)


def _row(tx: Tx, ident: str) -> Operation:
    operation = tx.operation(ident)
    if operation is None:
        raise PultError(f"operation {ident} is gone from the store")
    return operation


def free(tx: Tx, ident: str) -> bool:
    """Whether the operation *ident* is still to be run, and has its target to itself."""
    mine = tx.operation(ident)
    if mine is None or mine.state is not State.APPROVED:
        return False
    others = (other for other in tx.live_operations() if other.id != ident and other.state in UNDER_WAY)
    return not any(contends(mine.plan, other.plan) for other in others)
