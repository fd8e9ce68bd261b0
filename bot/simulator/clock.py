"""The only place of the simulator that reads the clock."""

from datetime import UTC, datetime


class WallClock:
    """Wire timestamps are wall-clock (interface.md, ruling 31); only the length of simulated work is scaled."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the simulator's clock
