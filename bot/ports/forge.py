"""The code forge: files, commits, releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class File:
    """``sha`` identifies exactly this content: a write names it and is refused when somebody pushed meanwhile."""

    text: str
    sha: str


class Forge(Protocol):
    """UserError: no such repository or file, or the token may not see it. DriftError: somebody pushed meanwhile."""

    async def read(self, repo: str, path: str, branch: str) -> File: ...

    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        """Write *text* over *was*; the new commit's sha."""
        ...

    async def check(self) -> str: ...
