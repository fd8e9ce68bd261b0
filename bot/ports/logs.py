"""Logs of workloads: lines, and how many of them are errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.phrases import Phrase
from bot.domain.services import Environment


@dataclass(frozen=True)
class Line:
    """``source`` is the pod, as POD/CONTAINER where it has several. ``text`` is redacted and has no line end."""

    at: datetime
    source: str
    text: str


@dataclass(frozen=True)
class Wanted:
    """The last ``limit`` lines from ``since`` on and before ``until``.

    ``grep``: plain text, any case; it is looked for in what is shown, so it can't be used to guess a masked secret.
    ``pod``: its name, or the end or another part of it. ``previous``: only what containers wrote before their last
    restart.
    """

    since: datetime
    until: datetime
    grep: str = ""
    pod: str = ""
    previous: bool = False
    limit: int = 1000


@dataclass(frozen=True)
class Found:
    """``lines`` oldest first, none twice, all of them before ``until``: from there a later question goes on.

    ``cut``: more lines of that time were not read. ``silent``: what could not be read, and why.
    """

    lines: tuple[Line, ...]
    until: datetime
    cut: bool = False
    silent: tuple[Phrase, ...] = ()


class Logs(Protocol):
    """UserError: nothing there to read, or not allowed. TemporaryError: no answer in time."""

    async def lines(self, environment: Environment, wanted: Wanted) -> Found: ...

    async def errors(self, environment: Environment, since: datetime, until: datetime) -> int | None:
        """How many lines of that time are errors; None when that is not known, as of pods that are gone.

        Only Loki remembers those: read from the cluster itself, the time before a rollout is not known after it.
        """
        ...

    async def check(self) -> str: ...
