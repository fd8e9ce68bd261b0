"""SQLite stores for the tests: migrated once a process, and copied for each test that wants one of its own."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from bot.adapters.sql import upgrade
from tests.expanded import brought_further


def sqlite_store(folder: Path, *further: str) -> str:
    """The URL of ``pult.db`` in *folder*: a new store where there is none, as opening it would have left it. *further*:
    migrations of a version to come that has been at it."""
    path = folder / "pult.db"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_empty(*further))
    return f"sqlite:///{path}"


@cache
def _empty(*further: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="pult-migrated-") as folder:
        path = Path(folder) / "pult.db"
        upgrade(f"sqlite:///{path}")
        if further:
            brought_further(f"sqlite:///{path}", *further)
        left = sorted(each.name for each in path.parent.iterdir())
        assert left == ["pult.db"], f"a part of the store is not in its file: {left}"
        return path.read_bytes()
