"""The store under contract, on each database it can stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.sql import SqlStore, open_store
from tests.migrated import sqlite_store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_store(tmp_path)
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    async with open_store(store_url) as opened:
        yield opened
