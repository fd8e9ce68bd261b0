"""What the week's digest says besides alerts and error budgets: money, and what workloads lack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain.messages import Block
from bot.domain.services import Catalogue
from handlers.schedules import costs
from handlers.shaping import postures
from handlers.shaping.sizes import Sizer


def more(sizer: Sizer, services: Catalogue) -> Callable[[], Awaitable[tuple[Block, ...]]]:
    """Asked for when the digest is due."""

    async def told() -> tuple[Block, ...]:
        return (*await costs.weekly(sizer.costs), *await postures.weekly(sizer.anatomies, services))

    return told
