"""Whom right-sizing asks, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from bot.domain.errors import TemporaryError, UserError, ungrouped
from bot.domain.rightsizing import Report, drawn_up
from bot.domain.services import Environment
from bot.ports.anatomies import Anatomies
from bot.ports.costs import Costs
from bot.ports.usage import Usages

T = TypeVar("T")


@dataclass(frozen=True)
class Sizer:
    """Whom right-sizing asks."""

    anatomies: Anatomies
    usages: Usages
    costs: Costs

    async def report(self, environment: Environment) -> Report:
        """UserError, TemporaryError: the workload itself can't be read. All else is said where it is missing."""
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                anatomy = group.create_task(self.anatomies.anatomy(environment))
                usage = group.create_task(self.usages.usage(environment))
                rates = group.create_task(_maybe(self.costs.rates(environment.cluster)))
        return drawn_up(anatomy.result(), usage.result(), rates.result())


async def _maybe(work: Awaitable[T]) -> T | None:
    try:
        return await work
    except (UserError, TemporaryError):
        return None
