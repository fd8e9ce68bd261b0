"""Storms: when a destination gets more new groups than anybody can read, those that are not critical share a card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.codec import stored

WITHIN = timedelta(minutes=1)
"""A storm begins with more than so many new groups within this time."""
CALM = timedelta(minutes=5)
"""A storm is over when it has gathered nothing for so long."""


@dataclass(frozen=True)
class Storm:
    """One destination's storm. ``gathered_at``: when it last grew."""

    id: str
    destination: str
    opened_at: datetime
    gathered_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Gathered:
    """One group in a storm, as it is now."""

    group: str
    name: str
    service: str
    severity: str
    since: datetime
    firing: bool
    held_by: str = ""


stored(Storm)
