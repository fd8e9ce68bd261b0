"""What other replicas committed, as PostgreSQL tells it (LISTEN, NOTIFY)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import psycopg

from bot.adapters.sql.answering import ANSWER
from bot.adapters.sql.database import first_line
from bot.adapters.sql.postgres import parameters
from bot.domain.errors import UnavailableError
from bot.domain.leases import CHANGED

CHANNEL: Final = "pult"

Hear = Callable[[frozenset[str]], None]


async def listen(url: str, sender: str, hear: Hear) -> None:
    """Call *hear* with what others touched, until cancelled. UnavailableError: it can't be listened to now."""
    try:
        connection = await psycopg.AsyncConnection.connect(**parameters(url), autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            hear(frozenset({CHANGED}))  # what was told before this is lost: PostgreSQL keeps it for nobody
            while True:
                async for notice in connection.notifies(timeout=ANSWER):
                    who, *touched = notice.payload.split("\n")
                    if who != sender:
                        hear(frozenset(touched))
                async with asyncio.timeout(ANSWER):  # silence may mean that nobody is there
                    await connection.execute("SELECT 1")
    except (psycopg.Error, OSError) as error:
        raise UnavailableError(first_line(error)) from error
