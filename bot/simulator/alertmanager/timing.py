"""The intervals of the simulated Alertmanager."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Wall seconds; names as in Alertmanager's configuration, less ``group_``."""

    wait: float = 0.5
    interval: float = 2.0
    repeat: float = 4 * 3600.0
    watchdog: float = 60.0
    """repeat_interval of the Watchdog's own route."""
    retry: float = 0.5
    """First back-off after a 5xx; the real one answered again after 0.6–0.7 s (fixtures/alertmanager/retry-500)."""
    minimum: float = 10.0
    """Shortest time-out of a notification (notify.MinTimeout)."""
    external_url: str = "https://alerts.dept.example"

    @property
    def patience(self) -> float:
        """Seconds after which a notification has failed."""
        return max(self.interval, self.minimum)

    @classmethod
    def scaled(cls, seconds: Callable[[float], float]) -> "Timing":
        """The defaults in a world of another speed. What waits for the receiver stays as it is."""
        return cls(wait=seconds(cls.wait), interval=seconds(cls.interval), repeat=seconds(cls.repeat))
