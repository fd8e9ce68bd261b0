"""``pult audit verify`` and ``pult audit export``: the audit chain, checked and written out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict

from bot.adapters.sql import open_store
from bot.domain.audit import Entry, verify
from bot.domain.redact import redact
from bot.ports.store import Tx


def head(url: str, known: str) -> tuple[int, str]:
    """How many entries hold together, and the hash of the last. BrokenChainError names the first that doesn't."""
    entries = asyncio.run(_entries(url))
    return len(entries), verify(entries, known)


def lines(url: str) -> Iterator[str]:
    """Every entry as one line of JSON, oldest first, secrets masked (so a masked line no longer matches its hash)."""
    for entry in asyncio.run(_entries(url)):
        told = {name: redact(value) for name, value in asdict(entry.deed).items() if name != "at"}
        deed = {"at": entry.deed.at.isoformat(), **told}
        yield json.dumps(
            {"number": entry.number, **deed, "previous": entry.previous, "hash": entry.hash}, ensure_ascii=False
        )


async def _entries(url: str) -> tuple[Entry, ...]:
    def everything(tx: Tx) -> tuple[Entry, ...]:
        found: list[Entry] = []
        while page := tuple(tx.entries(len(found) + 1, 1000)):
            found += page
        return tuple(found)

    async with open_store(url) as store:
        return await store.read(everything)
