"""Since when a server is silent: production's and staging's in one region are two servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.postgres_ha.silences import Silences
from bot.adapters.sql import open_store
from bot.compose.servers import self_run
from bot.domain.errors import TemporaryError
from bot.ports.store import Store
from config.failover import DatabaseSettings
from tests.handlers.fakes import NOON, FakeClock
from tests.real import free_port


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store:
        yield store


async def test_a_silence_is_remembered_over_a_restart_and_not_by_another_pair(store: Store) -> None:
    clock = FakeClock()
    assert await Silences(store, clock).fell("nyc2") == NOON
    clock.at = NOON + timedelta(minutes=5)
    other = Silences(store, clock, "staging")
    assert await other.fell("nyc2") == clock.at, "production's silence is not staging's"
    await other.spoke("nyc2")
    assert await Silences(store, clock).fell("nyc2") == NOON, "staging's word ends no silence of production"


async def test_what_is_configured_keeps_them_apart(store: Store) -> None:
    """Neither answers: each begins a silence of its own."""
    servers = [{"region": name, "dsn": f"postgresql://pult@127.0.0.1:{free_port()}/pult"} for name in ("nyc2", "sfo3")]
    settings = DatabaseSettings.model_validate({"provider": "postgres", "servers": servers})
    for name in ("", "staging"):
        with pytest.raises(TemporaryError):
            await self_run(settings, {}, None, store, name).beats("nyc2")  # type: ignore[arg-type]
    marks = [await store.read(lambda tx, name=name: tx.mark(name)) for name in MARKS]  # type: ignore[misc]
    assert None not in marks
    assert marks[0] < marks[1]


MARKS = ("silent database nyc2", "silent database staging nyc2")
