"""The ledger: what people see of an operation on its way, written as it goes; waits for a store that is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from bot.domain.audit import Deed
from bot.domain.cards import subject
from bot.domain.codec import decode, encode
from bot.domain.errors import PultError, UnavailableError
from bot.domain.messages import StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.engine.meters import Meters
from bot.ports.clock import Clock
from bot.ports.store import Store, Tx

log = logging.getLogger(__name__)
T = TypeVar("T")
STORE_RETRY = 1.0


class Ledger:
    """Every method may run again after a crash and then changes nothing more."""

    def __init__(self, store: Store, clock: Clock, meters: Meters) -> None:
        self._store, self._clock, self._meters = store, clock, meters

    async def begin(self, ident: str) -> Any:  # noqa: ANN401 - JSON out
        """The operation, from now on running, as JSON."""
        now = self._clock.now()

        def begun(tx: Tx) -> Operation:
            operation = _row(tx, ident)
            if operation.state is State.APPROVED:
                operation = replace(operation.moved(State.RUNNING), started_at=now)
                tx.save_operation(operation)
                tx.bump(subject("op", ident), now)
                tx.append(Deed(now, "pult", "", operation.plan.action, ident, "running", operation.plan.hash))
            return operation

        return encode(await self._write(begun))

    async def end(self, ident: str, state: str, said: Any) -> None:  # noqa: ANN401 - JSON in
        """How it ended, and what is said of it."""
        now = self._clock.now()

        def ended(tx: Tx) -> Operation:
            operation = _row(tx, ident)
            if not operation.final:
                operation = replace(operation.moved(State(state)), ended_at=now, result=decode(said), choices=())
                tx.save_operation(operation)
                tx.bump(subject("op", ident), now)
                tx.bump(subject("ask", ident), now)
                tx.append(Deed(now, "pult", "", operation.plan.action, ident, state, decode(said).plain()))
            return operation

        operation = await self._write(ended)
        self._meters.operation.labels(operation.plan.action, state).inc()

    async def report(self, ident: str, report: StepReport) -> None:
        """Show how far one step is."""
        now = self._clock.now()

        def record(tx: Tx) -> None:
            tx.save_operation(_row(tx, ident).reported(report))
            tx.bump(subject("op", ident), now)

        await self._write(record)

    async def started(self, ident: str, name: str) -> datetime:
        """When the step first began: a crash in its middle does not start the count anew."""
        operation = await self._store.read(lambda tx: _row(tx, ident))
        report = next(step for step in operation.steps if step.name == name)
        return (report.mark is StepMark.RUNNING and report.started_at) or self._clock.now()

    async def pause(self, ident: str, choices: tuple[Choice, ...]) -> None:
        """Show the failed step's choices."""
        await self._turn(ident, State.PAUSED, choices)

    async def resume(self, ident: str) -> None:
        """Go on after a choice."""
        await self._turn(ident, State.RUNNING, ())

    async def _turn(self, ident: str, state: State, choices: tuple[Choice, ...]) -> None:
        now = self._clock.now()

        def turn(tx: Tx) -> None:
            operation = _row(tx, ident)
            if operation.state is not state:
                tx.save_operation(replace(operation.moved(state), choices=choices))
                tx.bump(subject("op", ident), now)
                tx.append(Deed(now, "pult", "", operation.plan.action, ident, str(state)))

        await self._write(turn)

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


def _row(tx: Tx, ident: str) -> Operation:
    operation = tx.operation(ident)
    if operation is None:
        raise PultError(f"operation {ident} is gone from the store")
    return operation
