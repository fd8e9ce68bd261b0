"""What becomes of an answer: the store may be away by the time there is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.sql import open_store
from bot.domain.cards import Place
from bot.domain.errors import UnavailableError
from bot.domain.requests import Request
from tests.handlers.department import Department
from tests.migrated import sqlite_store

PATIENCE = 10.0
HERE = Place("slack:C0OPS")


@pytest.fixture
async def department(tmp_path: Path) -> AsyncIterator[Department]:
    async with open_store(sqlite_store(tmp_path)) as store:
        yield Department(store)


async def test_an_answer_waits_for_the_store_and_nobody_has_to_ask_again(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replica lives on, so that no other one answers in its place."""
    router, store, write = department.router(), department.store, department.store.write
    refused: list[str] = []

    async def comes_back(work: object) -> object:
        if len(refused) < 3:
            refused.append("away")
            raise UnavailableError("away")
        return await write(work)  # type: ignore[arg-type]

    running = asyncio.create_task(router.run())
    await router.ask(Request("slack:1", "slack", "U0ANNA", "whoami", HERE, HERE, department.clock.now()))
    monkeypatch.setattr(store, "write", comes_back)
    ends = time.monotonic() + PATIENCE
    while not await store.read(lambda tx: tx.cards_of("reply:slack:1")):
        assert time.monotonic() < ends, f"refused {len(refused)} times, then never answered"
        await asyncio.sleep(0.02)
    assert len(refused) == 3
    running.cancel()
    await asyncio.wait({running})
