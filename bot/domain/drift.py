"""Drift: what runs is not what was put there. Somebody was at it by hand, or something does not get where it should."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.codec import stored

MARK = "drift"
"""Under which the last round's findings are kept: when, and a Look of each place by its key."""
SEEN_TWICE = timedelta(seconds=50)
"""Two rounds in a row: what a roll-out shows for a moment is no drift."""
PATIENCE = timedelta(minutes=10)
"""How long a GitOps tool that works by itself may take to put things right: Argo CD looks at git every three minutes,
Flux at most every ten as it is usually set up."""


class Against(StrEnum):
    """What it differs from."""

    GIT = "git"
    """The digest that stands in git."""
    TOOL = "tool"
    """What Argo CD or Flux applied, by their own word."""
    RECORD = "record"
    """The last version that was put there and found good."""


class Likeness(StrEnum):
    """Of one environment, as of the last round."""

    WELL = "well"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """One environment as it was found; None: not asked, since nobody there could know.

    ``committed``: the digest in git. ``recorded``: that of the last good deployment. ``said``: what the tool says
    differs. ``healing``: the tool works by itself, is not suspended and not stuck.
    """

    running: str
    committed: str | None = None
    recorded: str | None = None
    said: str | None = None
    healing: bool = False


@dataclass(frozen=True)
class Drift:
    """``wanted`` is a digest, or what the tool says where it differs in something else than the image."""

    against: Against
    wanted: str
    patience: timedelta = SEEN_TWICE


@dataclass(frozen=True)
class Look:
    """How one environment was seen last; ``since``: Unix time in seconds from when on it differs, 0: it does not."""

    state: Likeness
    since: float = 0.0


def drifted(place: Place) -> Drift | None:
    """What differs there. Where git has a say its word counts, not the record of what pult put there once."""
    patience = PATIENCE if place.healing else SEEN_TWICE
    if place.committed and place.committed != place.running:
        return Drift(Against.GIT, place.committed, patience)
    if place.said:
        return Drift(Against.TOOL, place.said, patience)
    if place.committed is None and place.recorded and place.recorded != place.running:
        return Drift(Against.RECORD, place.recorded)
    return None


stored(Likeness, Look)
