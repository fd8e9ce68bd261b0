"""What people say to a paused operation, and what becomes of one whose check breaks, with the real journal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dbos import DBOS

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.errors import UserError
from bot.domain.operations import Choice, Operation, State
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan
from bot.engine.meters import Meters
from bot.engine.operations import Operations
from bot.ports.flows import Flow, Run, Say
from tests.domain.builders import operation
from tests.migrated import sqlite_store

PATIENCE = 20.0
SETTLES = 0.5
"""Seconds in which a choice that lies about would be taken: a step takes a few milliseconds."""


@dataclass
class Bench:
    """A store, and a flow whose only step fails as often as it is tried."""

    store: SqlStore
    operations: Operations
    tries: list[int] = field(default_factory=list)
    check: list[Exception] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)

    async def found(self) -> Operation:
        found = await self.store.read(lambda tx: tx.operation(MADE.id))
        assert found is not None
        return found

    async def paused_after(self, tries: int) -> None:
        await self._until(State.PAUSED, tries)

    async def becomes(self, state: State) -> None:
        await self._until(state, len(self.tries))

    async def _until(self, state: State, tries: int) -> None:
        ends = time.monotonic() + PATIENCE
        while (await self.found()).state is not state or len(self.tries) < tries:
            assert time.monotonic() < ends, (await self.found()).state
            await asyncio.sleep(0.02)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    url = sqlite_store(tmp_path)
    tries, broken, undone = list[int](), list[Exception](), list[str]()

    async def check(_: Plan) -> None:
        if broken:
            raise broken[0]

    async def fails(_: Say) -> Phrase:
        tries.append(1)
        raise UserError("It does not work.")

    async def run(running: Run) -> Phrase:
        await running.step("apply", fails)
        return phrase("done")

    async def undo(running: Run) -> Phrase:
        undone.append(running.operation)
        return phrase("undone")

    async with open_store(url) as store:
        flows = {"promote": Flow("promote", check, run, undo)}
        found = Bench(store, Operations(store, SystemClock(), flows, Meters("test"), url), tries, broken, undone)
        await store.write(lambda tx: tx.save_operation(MADE))
        try:
            yield found
        finally:
            found.operations.close()


MADE = operation(State.APPROVED, id="op-7777")


@pytest.mark.parametrize("second", [Choice.RETRY, Choice.UNDO])
async def test_of_two_presses_on_one_pause_the_first_counts_and_none_is_kept_for_the_next(
    bench: Bench, second: Choice
) -> None:
    bench.operations.start(MADE.id)
    await bench.paused_after(1)
    paused = await bench.found()
    for choice in (Choice.RETRY, second):  # two people, or one who presses twice
        bench.operations.choose(paused, choice)
    await bench.paused_after(2)
    await asyncio.sleep(SETTLES)
    assert (await bench.found()).state is State.PAUSED
    assert len(bench.tries) == 2
    assert bench.undone == []
    bench.operations.choose(await bench.found(), Choice.UNDO)
    await bench.becomes(State.UNDONE)


async def test_the_first_press_counts_though_the_journal_is_slow_to_take_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, pauses = DBOS.send_async, [0.3, 0.0]

    async def sent(*message: str) -> None:
        await asyncio.sleep(pauses.pop(0))
        await send(*message)

    bench.operations.start(MADE.id)
    await bench.paused_after(1)
    monkeypatch.setattr(DBOS, "send_async", sent)
    for choice in (Choice.UNDO, Choice.RETRY):
        bench.operations.choose(await bench.found(), choice)
    await bench.becomes(State.UNDONE)
    assert len(bench.tries) == 1


async def test_a_check_that_breaks_ends_the_operation_in_place_of_leaving_it_under_way(bench: Bench) -> None:
    bench.check.append(KeyError("a service that is no longer configured"))
    bench.operations.start(MADE.id)
    await bench.becomes(State.FAILED)
    result = (await bench.found()).result
    assert result is not None
    assert "Nothing was changed" in result.plain()
    assert "no longer configured" not in result.plain()
