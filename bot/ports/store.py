"""The store: units of work over tables, committed together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from bot.ports.chronicle import Chronicle
from bot.ports.deployments import Deployments
from bot.ports.leases import Leases
from bot.ports.tables import Cards, Facts, Work
from bot.ports.timetable import Timetable

T = TypeVar("T")


class Tx(Facts, Cards, Work, Timetable, Chronicle, Deployments, Leases, Protocol):
    """One transaction. Work done in it may be run again on a conflict, so it must have no effect outside of it."""


class Store(Protocol):
    """Where everything that must survive stands."""

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run *work* and commit it, possibly together with others'. UnavailableError: nothing of it was committed."""
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run *work* on a consistent snapshot. UnavailableError: the store is away."""
        ...

    def on_commit(self, hear: Callable[[frozenset[str]], None]) -> None:
        """Call *hear*, on the event loop, with the destinations whose cards a commit touched."""
        ...
