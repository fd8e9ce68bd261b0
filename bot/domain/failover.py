"""Failover: what moves from where to where, and whose word it takes. Only a strict majority of witnesses counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Sight(StrEnum):
    """What one witness says of the region. Missing data is UNKNOWN and no vote (promise 14)."""

    UP = "up"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Witness:
    """One independent view. Exactly one of ``query`` (lost where it answers 0), ``url``, ``cluster`` is set."""

    name: str
    query: str = ""
    url: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class Pair:
    """The two regions of one failover, by cluster name."""

    source: str
    target: str
    rpo: timedelta
    witnesses: tuple[Witness, ...]


def lost(sights: Iterable[Sight]) -> bool:
    """Whether a strict majority of all witnesses, at least three, says that the region is lost (ruling 25)."""
    said = tuple(sights)
    return len(said) >= 3 and said.count(Sight.LOST) * 2 > len(said)
