"""The code forge: files, commits, pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class File:
    """``sha`` identifies exactly this content: a write names it and is refused when somebody pushed meanwhile."""

    text: str
    sha: str


@dataclass(frozen=True)
class Commit:
    """``message`` is whole: its first line is the subject. ``author`` is the login if any, else the name."""

    sha: str
    message: str
    author: str
    at: datetime
    url: str = ""


@dataclass(frozen=True)
class Comparison:
    """What *head* has that *base* has not, oldest first. ``more``: commits that the forge left out.

    ``files``: the paths that differ, as far as the forge tells them. ``behind``: commits that only *base* has.
    """

    commits: tuple[Commit, ...]
    files: tuple[str, ...] = ()
    more: int = 0
    behind: int = 0
    url: str = ""


@dataclass(frozen=True)
class Pull:
    """``state`` is open, closed or merged; ``merged``: the commit it became on its base, or empty."""

    number: int
    state: str
    url: str
    merged: str = ""


class Forge(Protocol):
    """UserError: no such repository, ref or file, or not for this token. DriftError: somebody pushed meanwhile."""

    async def read(self, repo: str, path: str, branch: str) -> File: ...
    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        """Write *text* over *was*; the new commit's sha."""
        ...

    async def resolve(self, repo: str, ref: str) -> Commit:
        """The commit that a tag, a branch or a sha names."""
        ...

    async def compare(self, repo: str, base: str, head: str) -> Comparison: ...
    async def propose(self, repo: str, base: str, head: str, files: Mapping[str, str], title: str, body: str) -> Pull:
        """A pull request from branch *head*, made from *base* with *files* (path to text) written, or the open one."""
        ...

    async def pull(self, repo: str, number: int) -> Pull: ...
    async def merge(self, repo: str, number: int) -> Pull:
        """Merge it; one that is merged stays so. DriftError: it does not merge cleanly, or its head moved."""
        ...

    async def check(self) -> str: ...
