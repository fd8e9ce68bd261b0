"""Up to where an operation may be undone, and how another one lets it go on, with the real journal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.errors import TemporaryError, UntouchedError, UserError
from bot.domain.operations import Choice, Operation, State, goes_on
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan
from bot.engine.meters import Meters
from bot.engine.operations import Operations
from bot.ports.flows import Flow, Run, Say
from tests.domain.builders import operation

PATIENCE = 20.0
MADE = operation(State.APPROVED, id="op-7777")
RETURNS = (Choice.RETRY, Choice.UNDO, Choice.ABORT)
NO_RETURN = (Choice.RETRY, Choice.ABORT)


@dataclass
class Bench:
    """A flow of two steps; after the second has begun nothing is undone. ``fails``: what its attempts raise."""

    store: SqlStore
    operations: Operations
    fails: list[Exception] = field(default_factory=list)

    async def found(self) -> Operation:
        found = await self.store.read(lambda tx: tx.operation(MADE.id))
        assert found is not None
        return found

    async def paused(self, times: int) -> Operation:
        ends = time.monotonic() + PATIENCE
        while (found := await self.found()).state is not State.PAUSED or found.pauses < times:
            assert time.monotonic() < ends, found
            await asyncio.sleep(0.02)
        return found

    async def succeeds(self) -> None:
        ends = time.monotonic() + PATIENCE
        while (found := await self.found()).state is not State.SUCCEEDED:
            assert time.monotonic() < ends, found
            await asyncio.sleep(0.02)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    url, fails = f"sqlite:///{tmp_path}/pult.db", list[Exception]()

    async def check(_: Plan) -> None:
        return None

    async def well(_: Say) -> Phrase:
        return phrase("done")

    async def promotes(_: Say) -> Phrase:
        if fails:
            raise fails.pop(0)
        return phrase("done")

    async def run(running: Run) -> Phrase:
        await running.step("fence", well)
        await running.step("promote", promotes)
        return phrase("done")

    async def undo(_: Run) -> Phrase:
        return phrase("undone")

    async with open_store(url) as store:
        flows = {"promote": Flow("promote", check, run, undo, no_return=frozenset({"promote"}))}
        found = Bench(store, Operations(store, SystemClock(), flows, Meters("test"), url), fails)
        await store.write(lambda tx: tx.save_operation(MADE))
        try:
            yield found
        finally:
            found.operations.close()


@pytest.mark.parametrize(
    ("raised", "offers"),
    [
        (UntouchedError("It must not begin."), RETURNS),
        (UserError("It did not end."), NO_RETURN),
        (TemporaryError("no answer"), NO_RETURN),
    ],
    ids=["refused before it began", "failed in the middle", "nobody knows how far"],
)
async def test_what_has_begun_has_no_undo(bench: Bench, raised: Exception, offers: tuple[Choice, ...]) -> None:
    bench.fails.append(raised)
    bench.operations.start(MADE.id)
    assert (await bench.paused(1)).choices == offers


async def test_a_refusal_after_an_attempt_that_began_gives_no_undo_back(bench: Bench) -> None:
    bench.fails += [UntouchedError("Not yet."), UserError("It did not end."), UntouchedError("Not any more.")]
    bench.operations.start(MADE.id)
    offered = []
    for turn in (1, 2, 3):
        paused = await bench.paused(turn)
        offered.append(paused.choices)
        bench.operations.choose(paused, Choice.RETRY)
    assert offered == [RETURNS, NO_RETURN, NO_RETURN]
    await bench.succeeds()


async def test_another_operation_lets_it_go_on_once(bench: Bench) -> None:
    bench.fails += [UserError("Nobody can confirm it."), UserError("Still nobody can.")]
    bench.operations.start(MADE.id)
    await bench.paused(1)
    await bench.operations.sweep()
    assert (await bench.found()).pauses == 1, "nobody said so yet"
    await bench.store.write(lambda tx: tx.put_mark(goes_on(MADE.id), 1))
    for _ in range(3):
        await bench.operations.sweep()
    await bench.paused(2)
    await bench.operations.sweep()
    await asyncio.sleep(0.5)
    assert (await bench.found()).pauses == 2, "what was said of one pause is not said of the next"
