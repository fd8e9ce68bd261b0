"""Leases: which of several replicas does what. One owner at a time of each; what it owns it may lose.

Few and large: destinations are spread over :data:`LANES` leases by their hash, everything that one replica does for all
is one lease more. Which replica should have which is computed by each for itself, from who is alive (rendezvous
hashing): nobody negotiates, and a replica that comes or goes moves no more than its own part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Final
from zlib import crc32

from bot.domain.phrases import Phrase

LANES: Final = 16
"""As many leases for destinations: two replicas get about half each, and sixteen still get one."""
DUTIES: Final = "duties"
"""Everything that is done once for all: timers, schedules, expiry, what a dead replica left unanswered."""
CANARY: Final = "canary:"
"""Its destinations go with the duties: whoever lets it fly must see it land."""
CHANGED: Final = "leases:"
"""Stands among the destinations that a commit touched when it freed a lease: whoever wants it need not wait.
Alone: what others committed may not have been heard for a while."""
TTL: Final = timedelta(seconds=6)
"""How long a lease is good for after its renewal. A dead owner is replaced after TTL + RENEW at the latest."""
RENEW: Final = timedelta(seconds=1.5)
"""So a lease survives three renewals that fail or are late."""
MARGIN: Final = timedelta(seconds=1)
"""So much earlier than the store's clock an owner itself stops: what it begins should end while it is the owner."""


@dataclass(frozen=True)
class Lease:
    """*epoch* grows by one each time it changes hands: work done in an earlier one is not committed."""

    name: str
    epoch: int


@dataclass(frozen=True)
class Tenure:
    """One lease as the store has it. ``owner`` is a boot, or empty; ``live``: it has not run out."""

    name: str
    owner: str
    epoch: int
    live: bool


@dataclass(frozen=True)
class Replica:
    """One process. ``boot`` is its alone; ``name`` is kept over restarts.

    ``trouble``: destinations that it owns and can't deliver to. ``unreached``: platforms that don't answer it at all.
    """

    boot: str
    name: str
    leaving: bool = False
    trouble: Mapping[str, Phrase] = field(default_factory=dict)
    unreached: frozenset[str] = frozenset()


def share(destination: str) -> str:
    """The lease that *destination* goes with."""
    if destination.startswith(CANARY):
        return DUTIES
    return f"lane-{crc32(destination.encode()) % LANES:02}"


def shares() -> Iterator[str]:
    """All leases for destinations."""
    return (f"lane-{number:02}" for number in range(LANES))


def able(replicas: Iterable[Replica]) -> frozenset[str]:
    """The boots among which the work is shared: of those who stay, the ones that reach the most platforms. So one that
    is cut off leaves everything to the others, and where a platform is away for all nothing changes hands."""
    staying = [each for each in replicas if not each.leaving]
    least = min((len(each.unreached) for each in staying), default=0)
    return frozenset(each.boot for each in staying if len(each.unreached) == least)


def rightful(name: str, boots: Collection[str]) -> str:
    """Which of *boots* should own *name*; empty when there is none."""
    return max(boots, key=lambda boot: blake2b(f"{name} {boot}".encode(), digest_size=8).digest(), default="")
