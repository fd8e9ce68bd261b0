"""Fixtures of the duties' tests. ``WRITE_EXPECTED=1 pytest tests/handlers`` writes the expected texts anew."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.sql import open_store
from tests.handlers.department import EXPECTED, Check, Department
from tests.migrated import sqlite_store


@pytest.fixture
async def department(tmp_path: Path) -> AsyncIterator[Department]:
    async with open_store(sqlite_store(tmp_path)) as store:
        yield Department(store)


@pytest.fixture
def reads_as() -> Check:
    """Compares a text with the file of that name in ``expected/``."""

    def check(name: str, text: str) -> None:
        path = EXPECTED / f"{name}.txt"
        if os.environ.get("WRITE_EXPECTED"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check
