"""``pult db backup``: the store's files, copied while pult runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.adapters.sql.backup import backup
from bot.adapters.sql.sqlite import path_of
from bot.engine.journal import flows_url


def copies(url: str, folder: Path) -> Iterator[tuple[Path, int]]:
    """Each file's copy and its size in bytes.

    The journal last: an operation that it knows and the store does not call running yet goes on by itself; one that the
    store calls running and the journal does not know would never end.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield backup(url, folder)
    journal = flows_url(url)
    if path_of(journal).exists():  # it is made with the first operation
        yield backup(journal, folder)
