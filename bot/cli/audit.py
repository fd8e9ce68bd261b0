"""``pult audit verify`` and ``pult audit export``: the chain checked, and written out whole or for one release."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict

from bot.adapters.sql import open_store
from bot.domain.audit import Entry, verify
from bot.domain.errors import UserError
from bot.domain.redact import redact
from bot.domain.trail import Trail, exported
from bot.ports.store import Tx
from handlers.commands import releases_trail


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


def trail(url: str, written: str) -> str:
    """What is kept of the release *written* as SERVICE/VERSION, as JSON. UserError: nothing is."""
    service, _, version = written.partition("/")
    found = asyncio.run(_trail(url, service.lower(), version.removeprefix("v")))
    if not found:
        raise UserError("pult has not heard of {release}. Write it as SERVICE/VERSION.", release=written)
    return json.dumps(exported(found), ensure_ascii=False, indent=2)


async def _trail(url: str, service: str, version: str) -> Trail:
    async with open_store(url) as store:
        return await store.read(lambda tx: releases_trail.read(tx, service, version))


async def _entries(url: str) -> tuple[Entry, ...]:
    def everything(tx: Tx) -> tuple[Entry, ...]:
        found: list[Entry] = []
        while page := tuple(tx.entries(len(found) + 1, 1000)):
            found += page
        return tuple(found)

    async with open_store(url) as store:
        return await store.read(everything)
