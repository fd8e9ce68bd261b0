"""What stands in the cluster around a workload, for posture and right-sizing."""

from __future__ import annotations

from typing import Protocol

from bot.domain.anatomy import Anatomy
from bot.domain.services import Environment


class Anatomies(Protocol):
    """UserError: no such workload. TemporaryError: the API server is out of reach."""

    async def anatomy(self, environment: Environment) -> Anatomy:
        """As it is now; of what pult may not read nothing is said, and it is named."""
        ...
