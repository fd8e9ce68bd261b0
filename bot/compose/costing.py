"""What knows costs, opened from the settings."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.adapters.clock import SystemClock
from bot.engine.costing import CostLedger
from bot.engine.reckoning import Known
from config.department import Department
from config.settings import Settings

if TYPE_CHECKING:
    from bot.adapters.digitalocean.client import Api
    from bot.ports.costs import Allocations, Cloud, Costs
    from bot.ports.metrics import Metrics


@dataclass(frozen=True)
class Costing:
    """The ledger, and OpenCost where the settings have a section for it."""

    costs: Costs
    allocations: Allocations | None


async def open_costing(
    settings: Settings, department: Department, stack: AsyncExitStack, metrics: Metrics | None, api: Api | None
) -> Costing:
    """Nothing connects before somebody asks."""
    cloud = _cloud(api) if api else None
    allocations = await _allocations(settings, stack)
    pair = (department.failover.source, department.failover.target) if department.failover else ()
    known = Known(department.services, settings.regions, department.prices, pair)
    ledger = CostLedger(SystemClock(), known, metrics=metrics, cloud=cloud, allocations=allocations)
    return Costing(ledger, allocations)


def _cloud(api: Api) -> Cloud:
    from bot.adapters.digitalocean.account import DigitaloceanAccount  # noqa: PLC0415 - only where it is used

    return DigitaloceanAccount(api)


async def _allocations(settings: Settings, stack: AsyncExitStack) -> Allocations | None:
    if not settings.opencost:
        return None
    from bot.adapters.opencost.allocations import open_allocations  # noqa: PLC0415 - only where it is used

    return await stack.enter_async_context(open_allocations(settings.opencost))
