"""What workloads are made of and used, as tests set it."""

from __future__ import annotations

from bot.domain.anatomy import Anatomy
from bot.domain.services import Environment
from bot.domain.usage import Usage


class FakeAnatomies:
    """By service and environment; an error is raised. Of others the API server tells nothing."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Anatomy | Exception] = {}

    async def anatomy(self, environment: Environment) -> Anatomy:
        match self.found[environment.workload, environment.name]:
            case Exception() as error:
                raise error
            case found:
                return found


class FakeUsages:
    """By workload; of others Prometheus knows nothing."""

    def __init__(self) -> None:
        self.found: dict[str, Usage] = {}

    async def usage(self, environment: Environment) -> Usage:
        return self.found.get(environment.workload, Usage())
