"""Which versions went where, and what became of them."""

from __future__ import annotations

from typing import Protocol

from bot.domain.releases import Deployment


class Deployments(Protocol):
    """One row for each operation and environment; for what pult only heard of, for each version and environment."""

    def save_deployment(self, deployment: Deployment) -> None:
        """A new row, or the row's new state."""
        ...

    def deployments(self, service: str, environment: str = "", limit: int = 20) -> tuple[Deployment, ...]:
        """The latest change of a fate first; of one environment or of all."""
        ...

    def deployments_of(self, service: str, version: str) -> tuple[Deployment, ...]:
        """Everywhere this version went, in the order in which it was first sent there."""
        ...
