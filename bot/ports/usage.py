"""What the containers of a workload used over the last two weeks."""

from __future__ import annotations

from typing import Protocol

from bot.domain.services import Environment
from bot.domain.usage import Usage


class Usages(Protocol):
    """Nothing here raises because a question was not answered: what it was about is ``silent``."""

    async def usage(self, environment: Environment) -> Usage: ...
