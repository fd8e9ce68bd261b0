"""Who does what among several replicas, in the store; times are the store's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from bot.domain.leases import Lease, Replica, Tenure
from bot.domain.requests import Request


class Leases(Protocol):
    """What a unit of work sees of leases and of who is alive."""

    def enlist(self, replica: Replica, ttl: timedelta) -> bool:
        """Count as alive for *ttl* from now. Whether it did not before: then earlier boots of its name are struck off,
        since two processes of one name can't both live, and what they held is free."""
        ...

    def resign(self, boot: str) -> None:
        """Count as gone, and hold nothing."""
        ...

    def replicas(self) -> tuple[Replica, ...]:
        """Those alive, also who is leaving, by name."""
        ...

    def tenures(self) -> tuple[Tenure, ...]: ...

    def renew(self, boot: str, ttl: timedelta) -> None:
        """Everything that *boot* holds."""
        ...

    def take(self, name: str, boot: str, ttl: timedelta) -> Lease:
        """*name* for *boot* from now on, whoever had it."""
        ...

    def give_up(self, name: str, boot: str) -> None:
        """Free *name*, if *boot* still has it."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether nobody took it since. One that ran out and was not taken still holds."""
        ...

    def asked_of(self, ident: str) -> str:
        """The boot that answers the request *ident*; empty where there is none."""
        ...

    def take_over(self, owner: str) -> tuple[Request, ...]:
        """Requests that are unanswered and of no replica alive become *owner*'s."""
        ...


class Hold(Protocol):
    """One lease, as its owner has it."""

    @property
    def name(self) -> str: ...

    def valid(self) -> bool:
        """Whether it may still be acted on: it was renewed in time."""
        ...

    def fence(self, tx: Leases) -> None:
        """FencedError: another replica has it now, so nothing of this transaction may be committed."""
        ...
