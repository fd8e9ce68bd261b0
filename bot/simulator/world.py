"""The world all surfaces share: time, chance, faults, and the state of its parts."""

import random
from datetime import datetime
from typing import Protocol

from bot.simulator.clock import WallClock
from bot.simulator.faults import Faults


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware."""
        ...


class Clusters(Protocol):
    """What the rest of the world asks of the Kubernetes clusters."""

    def image(self, region: str, namespace: str, service: str) -> str:
        """The image that serves; empty when there is no such Deployment."""
        ...

    def ready(self, region: str, namespace: str, service: str) -> int: ...
    def databases(self, region: str, namespace: str, service: str) -> tuple[str, ...]:
        """The database's host that each serving pod uses."""
        ...

    def restarts(self, region: str, namespace: str, service: str) -> int: ...


class Cloud(Protocol):
    """What the rest of the world asks of the cloud account."""

    def traffic(self) -> str:
        """The region that users reach; empty when they reach none."""
        ...

    def writable(self) -> set[str]: ...
    def primaries(self) -> dict[str, str]:
        """Database id → region."""
        ...

    def machines(self, region: str) -> tuple[str, ...]:
        """Names of the running machines of the region's cluster."""
        ...

    def accepts(self, host: str) -> bool:
        """Whether applications can write to the database at *host*."""
        ...

    @property
    def lag(self) -> float | None:
        """Replication lag in seconds; None where nothing replicates."""
        ...


class World:
    """One simulated department. Parts are set by the surfaces that own them, and may be missing in tests."""

    def __init__(self, seed: int = 1, speed: float = 1.0, clock: Clock | None = None) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.clock: Clock = clock or WallClock()
        self.random = random.Random(seed)  # noqa: S311 - chance in a simulation
        self.speed = speed
        """How many times faster than life simulated work (rollouts, promotions, alert timers) goes."""
        self.faults = Faults(self._now)
        self.clusters: Clusters | None = None
        self.cloud: Cloud | None = None
        self.github: object | None = None
        self.registry: object | None = None
        self.slack: object | None = None
        self.telegram: object | None = None

    def seconds(self, seconds: float) -> float:
        """Wall seconds that *seconds* of simulated work take."""
        return seconds / self.speed

    def _now(self) -> datetime:
        return self.clock.now()
