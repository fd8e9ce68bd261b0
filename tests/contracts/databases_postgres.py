"""A real self-run pair for the Database suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from bot.adapters.clock import SystemClock
from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.postgres_ha.link import Server
from bot.adapters.sql import open_store
from bot.domain.failover import Way
from tests.postgres_pair import Pair, beating, started_pair

NOWHERE = "postgresql://pult@127.0.0.1:1/pult"


class Opened(NamedTuple):
    """The parts of databases.Pair."""

    database: SelfRunPostgres
    way: Way
    writers: Any
    dead: SelfRunPostgres


@asynccontextmanager
async def selfrun(folder: Path) -> AsyncIterator[Opened]:
    """Beating, and with a program for each server."""
    with started_pair() as pair:
        async with open_store(f"sqlite:///{folder}/pult.db") as store, beating(pair, store) as database:
            dead = SelfRunPostgres([Server(n.name, NOWHERE) for n in pair.nodes], {}, store, SystemClock())
            yield Opened(database, Way("nyc2", "sfo3"), lambda: _writers(pair), dead)


async def _writers(pair: Pair) -> set[str]:
    """Regions whose server takes a row of the application's now."""
    found = set()
    for node in pair.nodes:
        try:
            async with await psycopg.AsyncConnection.connect(node.url(), autocommit=True) as connection:
                await connection.execute("SET default_transaction_read_only = off")
                await connection.execute(
                    "INSERT INTO rows (writer, n) VALUES ('asks', 0) ON CONFLICT (writer, n) DO UPDATE SET at = now()"
                )
                found.add(node.name)
        except psycopg.Error:
            continue
    return found
