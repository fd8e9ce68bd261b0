"""A server that takes whatever is sent and never answers: nobody waits for it for ever, and afterwards all goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.adapters.sql import open_store, postgres
from bot.adapters.sql.answering import ANSWER, Answering
from bot.adapters.sql.listening import listen
from bot.adapters.sql.store import DEADLINE
from bot.domain.errors import UnavailableError
from bot.domain.leases import CHANGED
from tests.cable import Cable, Cut, cable

pytestmark = pytest.mark.postgres


@pytest.fixture
async def silent(postgres_url: str) -> AsyncIterator[tuple[Cable, str]]:
    """What falls silent when it is cut, and the store's address behind it."""
    async with cable(postgres_url) as found:
        yield found


async def test_the_store_is_away_in_time_and_back_with_the_server(silent: tuple[Cable, str]) -> None:
    (network, url), heard = silent, asyncio.Event()

    def hear(touched: frozenset[str]) -> None:
        assert touched == {CHANGED}
        heard.set()

    async with open_store(url) as store, asyncio.TaskGroup() as group:
        await store.ping()
        await store.read(lambda tx: tx.busy())
        listening = group.create_task(_away(listen(url, "me", hear)))
        await heard.wait()
        await network.cut(Cut.SILENT)
        at = time.monotonic()
        for work in (store.ping(), store.read(lambda tx: tx.busy()), store.read(lambda tx: tx.busy())):
            group.create_task(_away(work))
        await listening
        assert time.monotonic() - at < 2 * ANSWER + DEADLINE
        await network.mend()
        await store.ping()
        await store.read(lambda tx: tx.busy())


async def test_the_journal_gives_a_silent_connection_up(
    silent: tuple[Cable, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "JOURNAL", 0.5)
    network, url = silent
    engine = postgres.engine(url)

    def ask() -> object:
        with engine.connect() as connection:
            return connection.execute(text("SELECT 1")).scalar()

    try:
        assert await asyncio.to_thread(ask) == 1
        await network.cut(Cut.SILENT)
        with pytest.raises(OperationalError):
            await asyncio.to_thread(ask)
        await network.mend()
        assert await asyncio.to_thread(ask) == 1
    finally:
        engine.dispose()


async def test_who_waits_for_notices_hears_them_after_a_silence_and_notices_when_nobody_is_there(
    silent: tuple[Cable, str], postgres_url: str
) -> None:
    network, url = silent
    connection = await asyncio.to_thread(lambda: Answering.connect(url, autocommit=True))
    connection.answer = 0.5
    try:
        await asyncio.to_thread(connection.execute, "LISTEN here")
        assert await asyncio.to_thread(lambda: [*connection.notifies()]) == [], "it goes on"
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute("NOTIFY here, 'said'")
        (notice,) = await asyncio.to_thread(lambda: [*connection.notifies()])
        assert notice.payload == "said"
        await network.cut(Cut.SILENT)
        with pytest.raises(psycopg.OperationalError):
            await asyncio.to_thread(lambda: [*connection.notifies()])
        assert connection.closed
    finally:
        connection.close()


async def test_what_the_server_refuses_closes_nothing(postgres_url: str) -> None:
    with Answering.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(5)")
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


async def _away(work) -> None:
    with pytest.raises(UnavailableError):
        await work
