"""What an approved operation meets before its first step, with the real journal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from dbos import DBOS

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.leases import TTL, Replica
from bot.domain.operations import Operation, State
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan
from bot.engine import journal
from bot.engine.meters import Meters
from bot.engine.operations import Operations
from bot.ports.flows import Flow, Run
from tests.domain.builders import operation, plan
from tests.migrated import sqlite_store

PATIENCE = 20.0


@dataclass
class Bench:
    """A store, and a flow that only notes that it ran."""

    store: SqlStore
    operations: Operations
    ran: list[str] = field(default_factory=list)

    async def holds(self, *kept: Operation) -> None:
        for each in kept:
            await self.store.write(lambda tx, one=each: tx.save_operation(one))  # type: ignore[misc]

    async def state(self, ident: str) -> State:
        found = await self.store.read(lambda tx: tx.operation(ident))
        assert found is not None
        return found.state

    async def becomes(self, ident: str, state: State) -> None:
        ends = time.monotonic() + PATIENCE
        while await self.state(ident) is not state:
            assert time.monotonic() < ends, await self.state(ident)
            await asyncio.sleep(0.02)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    url = sqlite_store(tmp_path)
    ran: list[str] = []

    async def check(_: Plan) -> None:
        return None

    async def run(running: Run) -> Phrase:
        ran.append(running.operation)
        return phrase("done")

    async with open_store(url) as store:
        flows = {"promote": Flow("promote", check, run)}
        found = Bench(store, Operations(store, SystemClock(), flows, Meters("test"), url), ran)
        try:
            yield found
        finally:
            found.operations.close()


FIRST = operation(State.RUNNING, id="op-2222")
NEXT = operation(State.APPROVED, id="op-3333", after="op-2222")
ELSEWHERE = operation(State.APPROVED, id="op-4444", plan=plan(lock="api in staging"))


async def test_what_waits_for_another_starts_when_that_is_over(bench: Bench) -> None:
    await bench.holds(FIRST, NEXT, ELSEWHERE)
    for ident in (NEXT.id, ELSEWHERE.id):
        bench.operations.start(ident)
    await bench.becomes(ELSEWHERE.id, State.SUCCEEDED)
    await bench.operations.sweep()
    await bench.holds(paused := FIRST.moved(State.PAUSED))
    await bench.operations.sweep()
    assert await bench.state(NEXT.id) is State.APPROVED
    assert bench.ran == [ELSEWHERE.id]
    await bench.holds(paused.moved(State.FAILED))
    await bench.operations.sweep()
    await bench.becomes(NEXT.id, State.SUCCEEDED)
    assert bench.ran == [ELSEWHERE.id, NEXT.id]


async def test_of_two_that_were_started_for_one_target_at_once_the_second_waits(bench: Bench) -> None:
    """Each was looked at before the other had begun: by one sweep, or by two replicas."""
    await bench.holds(FIRST, NEXT, ELSEWHERE)
    runner = await bench.operations._runner()
    await runner.start(NEXT.id)
    await runner.start(ELSEWHERE.id)
    await bench.becomes(ELSEWHERE.id, State.SUCCEEDED)
    assert bench.ran == [ELSEWHERE.id]
    assert await bench.state(NEXT.id) is State.APPROVED
    await bench.holds(FIRST.moved(State.FAILED))
    await bench.becomes(NEXT.id, State.SUCCEEDED)


async def test_what_ended_between_its_approval_and_its_start_does_not_run(bench: Bench) -> None:
    gone = replace(NEXT, id="op-5555").moved(State.CANCELLED)
    await bench.holds(gone, NEXT)
    runner = await bench.operations._runner()
    for ident in (gone.id, NEXT.id):
        await runner.start(ident)  # each was still approved when it was looked at
        await (await DBOS.retrieve_workflow_async(ident)).get_result()
    assert bench.ran == [NEXT.id]
    assert await bench.state(gone.id) is State.CANCELLED


async def test_who_came_a_moment_ago_is_not_taken_for_dead(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sweeps may have renewed its leases before the other one was there, or have been frozen since."""
    other = Replica("b00t", "two")
    asked: list[list[str]] = []

    async def pending(_: str) -> Mapping[str, str]:
        """It comes, and begins, while the sweep looks."""
        await bench.store.write(lambda tx: tx.enlist(other, TTL))
        return {FIRST.id: other.boot, "op-6666": "g0ne"}

    await bench.holds(FIRST)
    await bench.operations._runner()
    monkeypatch.setattr(journal, "pending", pending)
    monkeypatch.setattr(journal, "recover", lambda dead: asked.append(sorted(dead)))
    await bench.operations.sweep()
    assert asked == [["g0ne"]]
