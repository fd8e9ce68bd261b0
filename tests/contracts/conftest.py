"""The store under contract, on each database it can stand on, and as two stores that are open at once on one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.sql import SqlStore, open_store
from tests.expanded import EXPANDS, brought_further
from tests.migrated import sqlite_store
from tests.postgres import Server

TWO = "two stores"


class Twins:
    """Two replicas' stores as if they were one: each write goes through the next, each look through the other."""

    def __init__(self, *stores: SqlStore) -> None:
        self.writing, self.looking = stores

    async def write(self, work: Callable[[Any], Any]) -> Any:
        self.writing, self.looking = self.looking, self.writing
        return await self.writing.write(work)

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return await self.looking.read(work)

    async def ping(self) -> None:
        await self.looking.ping()

    def on_commit(self, hear: Callable[[frozenset[str]], None]) -> None:
        for each in (self.writing, self.looking):
            each.on_commit(hear)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that opens stores by itself says by itself how many."""
    if "store_url" not in metafunc.fixturenames:
        return
    names = ["postgresql", "postgresql-expanded", *([TWO] if "store" in metafunc.fixturenames else [])]
    kinds = ["sqlite", "sqlite-expanded", *(pytest.param(name, marks=pytest.mark.postgres) for name in names)]
    metafunc.parametrize("store_url", kinds, indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store; *expanded*: a later version has migrated it, and this build is taken back to."""
    if request.param.startswith("sqlite"):
        return sqlite_store(tmp_path, *([EXPANDS] if request.param == "sqlite-expanded" else []))
    if request.param in {"postgresql", TWO}:
        return request.getfixturevalue("postgres_url")
    url = request.getfixturevalue("expanded_url")
    request.getfixturevalue("postgres_server").clear(url.rpartition("/")[2])
    return url


@pytest.fixture(scope="session")
def expanded_url(postgres_server: Server) -> str:
    return brought_further(postgres_server.migrated("expanded"), EXPANDS)


@pytest.fixture
async def store(request: pytest.FixtureRequest, store_url: str) -> AsyncIterator[SqlStore | Twins]:
    async with AsyncExitStack() as stack:
        count = 2 if request.node.callspec.params["store_url"] == TWO else 1
        opened = [await stack.enter_async_context(open_store(store_url)) for _ in range(count)]
        yield Twins(*opened) if count == 2 else opened[0]
