"""Times of the day in a zone: when something that comes round each day was due last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Daily:
    """Each day *at* that time in *zone*. A time that a clock change leaves out comes as late as the change is long."""

    at: time
    zone: str = "UTC"

    def last(self, now: datetime) -> datetime:
        """The latest such moment that is not after *now*, in UTC."""
        day = now.astimezone(ZoneInfo(self.zone)).date()
        today = self._on(day)
        return today if today <= now else self._on(day - timedelta(days=1))

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, self.at, ZoneInfo(self.zone)).astimezone(UTC)
