"""A copy of SQLite files that are in use: each one whole, as of one moment, without stopping who writes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.adapters.sql.sqlite import SCHEME, path_of
from bot.domain.errors import UserError

WAIT = 60.0
"""Seconds to wait for a lock that only a start or an end of pult holds."""


def backup(url: str, folder: Path) -> tuple[Path, int]:
    """Copy the file that *url* names into *folder*, for its owner only; the copy, and its size in bytes.

    An older copy there is replaced once the new one was found whole. UserError: it is no file, or damaged.
    """
    source = path_of(url)
    if not url.startswith(SCHEME):
        raise UserError("[store] is on PostgreSQL: back it up with pg_dump, see docs/backup.md.")
    if not source.exists():
        raise UserError("There is no store at {path}.", path=str(source))
    copy = folder / source.name
    fresh = copy.with_name(f"{copy.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    _copy(source, fresh)
    fresh.replace(copy)
    _sync(folder)
    return copy, copy.stat().st_size


def _copy(source: Path, fresh: Path) -> None:
    """In one step: a copy in several begins anew whenever pult commits meanwhile."""
    try:
        with closing(sqlite3.connect(source, timeout=WAIT)) as old, closing(sqlite3.connect(fresh)) as new:
            old.backup(new, pages=-1)
            new.execute("PRAGMA journal_mode = DELETE")
            ((verdict,),) = new.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        raise UserError("{path} can't be copied: {why}.", path=str(source), why=str(error)) from error
    if verdict != "ok":
        raise UserError("{path} is damaged: {why}. The copy is not used.", path=str(source), why=str(verdict))
    with fresh.open("rb") as file:
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """The new name is on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
