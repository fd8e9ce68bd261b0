"""Where a release stands: the pipeline's stage and what became of it in each environment, drawn together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.releases import FAILED, RANKS, READY, TAGGED, Deployment, Fate, Release


class Standing(StrEnum):
    """The one thing to know about a release, the most pressing first."""

    BAD = "bad"
    MOVING = "moving"
    WAITING = "waiting"
    LIVE = "live"
    BACK = "back"
    FAILED = "failed"
    REPLACED = "replaced"
    READY = "ready"
    STAGED = "staged"
    STAGE = "stage"
    """As far as its pipeline is."""


@dataclass(frozen=True)
class Stay:
    """A release in one environment. ``until``: when another version, ``replaced_by``, came in its place.

    ``proposer`` and ``approved``: people, where an operation of pult's brought it; ``open``: that is not over.
    """

    deployment: Deployment
    production: bool
    replaced_by: str = ""
    until: datetime | None = None
    proposer: str = ""
    approved: tuple[str, ...] = ()
    open: bool = False

    @property
    def live(self) -> bool:
        return self.deployment.fate is Fate.GOOD and self.until is None


def standing(release: Release, stays: Iterable[Stay]) -> tuple[Standing, tuple[Stay, ...]]:
    """Where it stands, and in which environments it does."""
    every = tuple(stays)
    found = {
        Standing.BAD: _of(every, Fate.BAD),
        Standing.MOVING: _of(every, Fate.RUNNING),
        Standing.WAITING: _of(every, Fate.WAITING),
        Standing.LIVE: tuple(stay for stay in every if stay.production and stay.live),
        Standing.BACK: tuple(stay for stay in _of(every, Fate.BACK) if stay.production),
    }
    for name, those in found.items():
        if those:
            return name, those
    if release.stage == FAILED:
        return Standing.FAILED, ()
    if replaced := tuple(stay for stay in every if stay.production and stay.until):
        return Standing.REPLACED, replaced
    if release.rank >= RANKS[READY]:
        return Standing.READY, ()
    staged = tuple(stay for stay in every if stay.live)
    return (Standing.STAGED, staged) if staged else (Standing.STAGE, ())


def promotable(release: Release, stays: Iterable[Stay], *, before: bool) -> bool:
    """Whether to offer its promotion: its digest is known and undisputed, its pipeline is through, it is not there yet.

    ``before``: there is an environment before production, so that what was only tested has yet to go there.
    """
    every = tuple(stays)
    if not release.sound or release.prerelease:
        return False
    if any(stay.deployment.fate in {Fate.BAD, Fate.RUNNING, Fate.WAITING} for stay in every):
        return False
    if any(stay.production and (stay.live or stay.deployment.fate is Fate.BACK) for stay in every):
        return False
    enough = {"built", "scanned", "tested" if before else "", TAGGED}
    return release.stage not in enough or any(stay.live for stay in every)


def _of(stays: Iterable[Stay], fate: Fate) -> tuple[Stay, ...]:
    return tuple(stay for stay in stays if stay.deployment.fate is fate and stay.until is None)
