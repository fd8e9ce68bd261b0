"""The store: what must survive, on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from queue import LifoQueue
from typing import Final, TypeVar
from uuid import uuid4

from sqlalchemy import Engine

from bot.adapters.sql.database import Database, Line
from bot.adapters.sql.opening import found_in, prepared_database
from bot.adapters.sql.serving import Found
from bot.adapters.sql.transaction import SqlTx
from bot.adapters.sql.writer import Hear, Writer
from bot.domain.errors import UnavailableError
from bot.ports.store import Tx

T = TypeVar("T")

READERS: Final = 2
DEADLINE: Final = 15.0
"""Seconds that a write or a read may take, queueing included; longer than the database's own timeouts."""


class SqlStore:
    """The ``Store`` port."""

    def __init__(self, database: Database, url: str, deadline: float) -> None:
        self._database, self._deadline = database, deadline
        self._url, self._sender = url, uuid4().hex
        self._writer = Writer(Line(database), database.notify, self._sender)
        self._pool = ThreadPoolExecutor(READERS, "store reader")
        self._lines: LifoQueue[Line] = LifoQueue()
        for _ in range(READERS):
            self._lines.put(Line(database, reading=True))
        self.on_commit: Callable[[Hear], None] = self._writer.on_commit

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run *work* and commit it. UnavailableError; past the deadline or a lost commit the outcome is unknown."""
        return await self._write(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run *work* on a snapshot. UnavailableError: the store is away."""
        if self._writer.closed:
            raise UnavailableError("the store is closed")
        answer = asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)
        return await self._in_time(answer, "the store did not answer in time")

    async def ping(self) -> None:
        """UnavailableError unless a change can be committed right now."""
        await self._write(SqlTx.beat)

    async def schema(self) -> Found:
        """What is there now, which somebody may have migrated since it was opened. NotReadyError: the store is away."""
        return await asyncio.to_thread(found_in, self._database)

    @property
    def shared(self) -> bool:
        """Whether several replicas may use it."""
        return bool(self._database.notify)

    @property
    def engine(self) -> Callable[[], Engine] | None:
        """Makes SQLAlchemy's connections to it for somebody else; None where that is a file."""
        if not self.shared:
            return None
        from bot.adapters.sql.postgres import engine  # noqa: PLC0415 - psycopg, which SQLite does without

        return partial(engine, self._url)

    async def listen(self) -> None:
        """Hear what other replicas commit, until cancelled. UnavailableError: the store is away."""
        if not self.shared:
            await asyncio.Event().wait()
        from bot.adapters.sql.listening import listen  # noqa: PLC0415 - psycopg, which SQLite does without

        await listen(self._url, self._sender, self._writer.hear)

    async def empty(self) -> None:
        """Forget everything that is in it. For a store that only bridges the time until another one is back."""
        await self._write(SqlTx.empty)

    async def close(self) -> None:
        """Commit what is queued, then let go of the database."""
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._pool.shutdown)
        while not self._lines.empty():
            self._lines.get_nowait().close()

    async def _write(self, work: Callable[[SqlTx], T]) -> T:
        return await self._in_time(self._writer.put(work), "the store did not commit in time")

    async def _in_time(self, result: Awaitable[T], otherwise: str) -> T:
        """A TimeoutError of the work itself stays one."""
        scope = asyncio.timeout(self._deadline)
        try:
            async with scope:
                return await result
        except TimeoutError as error:
            if scope.expired():
                raise UnavailableError(otherwise) from error
            raise

    def _read(self, work: Callable[[SqlTx], T]) -> T:
        line = self._lines.get_nowait()
        try:
            return line.run(work)
        finally:
            self._lines.put(line)


@asynccontextmanager
async def open_store(
    url: str, *, deadline: float = DEADLINE, cap: int = 0, patient: bool = False
) -> AsyncGenerator[SqlStore, None]:
    """The store at ``sqlite:///path`` or ``postgresql://…``, on a schema that serves this build. *cap*: bytes that
    SQLite's file may have, 0 for any number; once it is reached, nothing can be committed. *patient*: a PostgreSQL that
    does not answer yet is waited for.

    NotReadyError, which names the remedy: it can't be opened, or its schema does not serve this build.
    """
    store = SqlStore(await asyncio.to_thread(prepared_database, url, cap, patient=patient), url, deadline)
    try:
        yield store
    finally:
        await store.close()
