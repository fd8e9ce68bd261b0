"""Operations: hands approved plans over to what runs them durably, which is opened when the first one needs it.

A killed process resumes at the step it was in: the next one looks for what was under way as soon as it starts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bot.domain.operations import UNDER_WAY, Choice, Operation, State, goes_on
from bot.engine.ledger import Ledger, free
from bot.engine.meters import Meters
from bot.ports.clock import Clock
from bot.ports.flows import Flow, Turned
from bot.ports.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bot.engine.execution import Runner

log = logging.getLogger(__name__)
RESUMABLE = UNDER_WAY | {State.APPROVED}
"""A process may die between the journal's first line and the operation's own."""


class Operations:
    """``url``: the store's, where the journal lies too; ``engine`` connects to it where it is PostgreSQL. ``turned`` is
    told of each turn, in its transaction. ``boot``: this process."""

    def __init__(  # noqa: PLR0913 - what an operation is run with
        self,
        store: Store,
        clock: Clock,
        flows: Mapping[str, Flow],
        meters: Meters,
        url: str,
        *,
        turned: Turned = lambda _tx, _operation, _now: None,
        engine: Callable[[], Engine] | None = None,
        boot: str = "pult",
    ) -> None:
        self._store, self._clock, self._flows, self._url, self._engine = store, clock, flows, url, engine
        self._boot = boot
        self._ledger = Ledger(store, clock, meters, turned)
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening, self._telling = asyncio.Lock(), asyncio.Lock()
        self._opened: Runner | None = None

    async def sweep(self) -> None:
        """Resume what a process left that has died, and start what it had not started yet. Of several replicas, one
        does this for all."""
        live = await self._store.read(lambda tx: tx.live_operations())
        if any(operation.state in RESUMABLE for operation in live):
            await (await self._runner()).recover(self._alive)
        for operation in live:
            if operation.state in UNDER_WAY:
                await self._let_go_on(operation)
            elif operation.state is State.APPROVED:
                self.start(operation.id)

    def start(self, ident: str) -> None:
        """Run the approved operation *ident*; a second start of the same does nothing."""
        self._spawn(self._start(ident))

    def choose(self, paused: Operation, choice: Choice) -> None:
        """Hand a person's choice to the operation, for the pause that they saw."""
        self._spawn(self._choose(paused, choice))

    def close(self) -> None:
        """Stop; what is running stays in the journal and is resumed by the next start."""
        for task in self._tasks:
            task.cancel()
        if self._opened:
            self._opened.close()

    async def _alive(self) -> frozenset[str]:
        """By the store, now. What this process remembers is as old as its last renewal, or as its freeze: whoever came
        since would be taken for dead, and what it runs be run twice."""
        replicas = await self._store.read(lambda tx: tx.replicas())
        return frozenset({self._boot, *(each.boot for each in replicas)})

    async def _runner(self) -> Runner:
        """Importing it in a thread keeps webhooks going meanwhile."""
        async with self._opening:
            if self._opened is None:
                execution = await asyncio.to_thread(import_module, "bot.engine.execution")
                runner: Runner = execution.Runner(self._ledger, self._clock, self._flows)
                runner.launch(execution.journal.Place(self._url, self._engine), self._boot)
                self._opened = runner
            return self._opened

    async def _start(self, ident: str) -> None:
        """Unless another one is under way for the same target: then the sweep comes again once that is over."""
        if await self._store.read(lambda tx: free(tx, ident)):
            await (await self._runner()).start(ident)

    async def _let_go_on(self, operation: Operation) -> None:
        """Where another operation ended what this one had paused for. Said twice to one pause it counts once."""
        if operation.state is State.PAUSED:
            over = await self._store.read(lambda tx: tx.mark(goes_on(operation.id)))
            if over == operation.pauses:
                await self._choose(operation, Choice.RETRY)

    async def _choose(self, paused: Operation, choice: Choice) -> None:
        runner = await self._runner()
        async with self._telling:  # one after the other: of two presses the first counts
            await runner.choose(paused, choice)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("operation could not be driven", exc_info=error)
