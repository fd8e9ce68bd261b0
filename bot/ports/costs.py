"""Costs: what was spent on what, and the sources that know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.costs import Allocated, Inventory, Spend
from bot.domain.money import Rates


class Cloud(Protocol):
    """The account at the cloud provider. TemporaryError: it tells nothing now."""

    async def inventory(self) -> Inventory:
        """What it holds and costs; parts that the token may not read are named."""
        ...


class Allocations(Protocol):
    """OpenCost, or what speaks like it. TemporaryError: no answer. UserError: it refuses."""

    async def allocations(self, start: datetime, end: datetime) -> Sequence[Allocated]:
        """Each day between *start* and *end*, which are midnights (UTC) but for an *end* that is now."""
        ...

    async def check(self) -> str: ...


class Costs(Protocol):
    """Nothing here raises because one source is away: what it could not tell is said in the answer.

    UserError: no source is configured. TemporaryError: none answers.
    """

    async def spend(self) -> Spend:
        """The last thirty days and this one."""
        ...

    async def rates(self, cluster: str) -> Rates | None:
        """What a core-hour and a GiB-hour cost there now; None when nobody knows."""
        ...
