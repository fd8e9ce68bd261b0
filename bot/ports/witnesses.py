"""Witnesses: independent views of a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.domain.failover import Sight


class Witnesses(Protocol):
    """Asks all of them at once, each with a deadline of its own; never raises."""

    async def ask(self) -> Mapping[str, Sight]: ...
