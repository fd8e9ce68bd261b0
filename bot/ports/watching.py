"""Watching clusters: feeds tell of objects as they change, and what is trouble among them is reported."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import NOTHING, Phrase
from bot.domain.sights import Place, Sight
from bot.domain.trouble import Finding


class StaleError(TemporaryError):
    """The server has forgotten the version that was asked for: list anew."""


class AbsentError(UserError):
    """The cluster has no such kind of object."""


@dataclass(frozen=True)
class Page:
    """Part of a list. ``version``: where a watch goes on from; ``rest``: asks for the next part, empty at the end."""

    sights: Mapping[str, Sight]
    version: str
    rest: str = ""


@dataclass(frozen=True)
class Change:
    """``sight`` is None for an object that is gone. Without a ``name`` it is a bookmark: only ``version`` is news."""

    version: str
    name: str = ""
    sight: Sight | None = None


class Feed(Protocol):
    """One watch. UserError: it is not allowed (says which verb). TemporaryError: the API server is out of reach."""

    @property
    def place(self) -> Place: ...

    async def page(self, rest: str) -> Page: ...

    def changes(self, version: str) -> AsyncGenerator[tuple[Change, ...], None]:
        """What changed since *version*, until the server ends the watch, as it does every few minutes."""
        ...


class State(StrEnum):
    """``live``: what it shows is so now. ``refused``: pult may not look. ``absent``: nothing of this kind is known."""

    STARTING = "starting"
    LIVE = "live"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    ABSENT = "absent"


@dataclass(frozen=True)
class Seen:
    """How a watch fares. ``since``: what happened after it is known whole. ``why``: what keeps it from being live."""

    state: State
    since: datetime | None = None
    why: Phrase = NOTHING
    findings: tuple[Finding, ...] = ()


class Watching(Protocol):
    """Every configured watch, with what is wrong where it is live."""

    def seen(self) -> Mapping[Place, Seen]: ...
