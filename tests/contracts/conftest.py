"""The store under contract, on each database it can stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.sql import SqlStore, open_store
from tests.expanded import EXPANDS, brought_further
from tests.migrated import sqlite_store
from tests.postgres import Server

POSTGRES = pytest.mark.postgres


@pytest.fixture(
    params=[
        "sqlite",
        "sqlite-expanded",
        pytest.param("postgresql", marks=POSTGRES),
        pytest.param("postgresql-expanded", marks=POSTGRES),
    ]
)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store; *expanded*: a later version has migrated it, and this build is taken back to."""
    if request.param.startswith("sqlite"):
        return sqlite_store(tmp_path, *([EXPANDS] if request.param == "sqlite-expanded" else []))
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    url = request.getfixturevalue("expanded_url")
    request.getfixturevalue("postgres_server").clear(url.rpartition("/")[2])
    return url


@pytest.fixture(scope="session")
def expanded_url(postgres_server: Server) -> str:
    return brought_further(postgres_server.migrated("expanded"), EXPANDS)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    async with open_store(store_url) as opened:
        yield opened
