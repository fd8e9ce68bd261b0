"""What ate a budget: the release, the incident at which it began to burn. A coincidence in time, no proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.burndown import Stretch

BAKE = timedelta(hours=1)
"""How long after it a release is the first suspect: as long as the shortest window that pages (SRE Workbook)."""
SLACK = timedelta(minutes=10)
"""How exactly times of one event agree between its sender, pult and Prometheus's windows of 5 minutes."""


@dataclass(frozen=True)
class Suspect:
    """Something that happened: a release at an instant (``until`` is None), or an incident for some time."""

    name: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Eaten:
    """One stretch and who is suspected; an empty name where nothing fits."""

    stretch: Stretch
    release: str = ""
    incident: str = ""


def blame(stretch: Stretch, releases: Iterable[Suspect], incidents: Iterable[Suspect]) -> Eaten:
    """The last release shortly before *stretch* began, and the incident that covers most of it."""
    begun = [each for each in releases if stretch.start - BAKE <= each.at <= stretch.start + SLACK]
    release = max(begun, key=lambda each: each.at, default=None)
    common = [(_common(stretch, each), each) for each in incidents]
    _, incident = max(((c, e) for c, e in common if c > timedelta()), key=lambda pair: pair[0], default=(None, None))
    return Eaten(stretch, release.name if release else "", incident.name if incident else "")


def _common(stretch: Stretch, incident: Suspect) -> timedelta:
    """How long both lasted at once, give or take what clocks and windows differ."""
    until = incident.until or incident.at
    return min(stretch.end, until) - max(stretch.start, incident.at) + SLACK
