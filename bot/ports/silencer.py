"""Alertmanager's own state: what each of its members believes fires, and its silences."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.silences import Matching, Silence
from bot.domain.testimony import Testimony

MARK = "reconciled"
"""The store's mark with when pult was last held against Alertmanager, how many members answered, and of how many."""


class Silencer(Protocol):
    """TemporaryError: no Alertmanager answered. UserError: it refused the silence, with its reason."""

    @property
    def size(self) -> int:
        """How many members are configured."""
        ...

    @property
    def receivers(self) -> frozenset[str]:
        """Of Alertmanager's own configuration: those said to post to pult."""
        ...

    async def testimonies(self) -> tuple[Testimony, ...]:
        """All members at once, each with its own deadline; who is silent, slow or talks nonsense is left out."""
        ...

    async def silences(self) -> tuple[Silence, ...]:
        """Those that are active or pending now."""
        ...

    async def silence(self, matchers: tuple[Matching, ...], until: datetime, person: str, comment: str) -> str:
        """Create a silence that begins now; its id."""
        ...

    async def end(self, ident: str) -> None: ...
    async def check(self) -> str: ...
