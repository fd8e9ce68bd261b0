"""The code forge: files, commits, pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

Texts: TypeAlias = Mapping[str, str]


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
    """Commits that only *head* has, oldest first. ``files``: paths that they change, ``whole``: all of them. ``more``:
    commits that were left out. ``behind``: how many only *base* has."""

    commits: tuple[Commit, ...]
    files: tuple[str, ...] = ()
    more: int = 0
    behind: int = 0
    url: str = ""
    whole: bool = True


@dataclass(frozen=True)
class Pull:
    """``state``: open, closed, merged; ``merged``: the commit it became on its base; ``head``: its branch's commit."""

    number: int
    state: str
    url: str
    merged: str = ""
    head: str = ""


class Forge(Protocol):
    """UserError: no such repository, ref or file, or not for this token. DriftError: somebody pushed meanwhile."""

    async def read(self, repo: str, path: str, branch: str) -> File: ...
    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        """Write *text* over *was*; the new commit, or the one that brought *text* when it is there already."""
        ...

    async def resolve(self, repo: str, ref: str) -> Commit:
        """The commit that a tag, a branch or a sha names."""
        ...

    async def compare(self, repo: str, base: str, head: str) -> Comparison: ...
    async def propose(  # noqa: PLR0913 - a pull request has so many sides
        self, repo: str, base: str, head: str, files: Texts, title: str, body: str, *, pins: Texts | None = None
    ) -> Pull:
        """From *head*, made of *base* with *files* (path to text), or the one there is; *pins*: shas on *base*."""
        ...

    async def pull(self, repo: str, number: int) -> Pull: ...
    async def merge(self, repo: str, number: int, head: str = "") -> Pull:
        """Merge it; one that is merged stays so. DriftError: it does not merge cleanly, or is not at *head* now."""
        ...

    async def check(self) -> str: ...
