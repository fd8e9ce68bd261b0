"""What the department has said about its alerts, and who is on call by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.oncall import Ladder, Shift, on_call
from bot.domain.people import Directory, Person
from bot.domain.routes import Route, private_chats
from bot.ports.roster import Roster
from bot.ports.store import Tx

INSTANT = timedelta(seconds=1)


@dataclass(frozen=True)
class Rules:
    """``routes`` name chats, not persons. ``storm``: new groups a minute that one chat is shown, 0 for any number.

    ``watchdog``: how long the Watchdog may be silent; ``patience``: how long a page may wait for its chat. ``roster``
    is None while it is not open yet; ``staffed`` tells whether there is to be one. ``platforms``: configured chats.
    ``runbooks``: where the pages of docs/runbooks are read.
    """

    routes: tuple[Route, ...]
    people: Directory = field(default_factory=lambda: Directory(()))
    ladder: Ladder = field(default_factory=Ladder)
    storm: int = 10
    watchdog: timedelta = timedelta(minutes=10)
    patience: timedelta = timedelta(seconds=60)
    staffed: bool = False
    roster: Callable[[], Roster | None] = lambda: None
    platforms: frozenset[str] = frozenset({"slack", "telegram"})
    runbooks: str = ""

    def chats(self, destinations: Iterable[str]) -> tuple[str, ...]:
        """*destinations* with ``person:name`` as that person's private chats, where their platform is configured."""
        found = (chat for each in destinations for chat in private_chats(each, self.people))
        return tuple(dict.fromkeys(chat for chat in found if self._reachable(chat)))

    def owner(self, destination: str) -> Person | None:
        """The person whose private chat it is, or None."""
        platform, _, chat = destination.partition(":")
        return self.people.find(platform, chat)

    @property
    def shared(self) -> tuple[str, ...]:
        """The chats of the last route, where everything goes that nobody else asked for."""
        return tuple(each for each in self.routes[-1].to if not each.startswith("console:"))

    def _reachable(self, chat: str) -> bool:
        platform = chat.partition(":")[0]
        return platform not in {"slack", "telegram"} or platform in self.platforms


def shifts_now(tx: Tx, rules: Rules, now: datetime) -> tuple[Shift, ...]:
    """Who is on call, overrides considered; empty when nobody is, or nobody knows."""
    roster = rules.roster()
    turns = roster.shifts(now, now + INSTANT) if roster else ()
    return on_call(turns, tx.overrides(now, now + INSTANT), now)


def chats_now(tx: Tx, rules: Rules, now: datetime) -> tuple[str, ...]:
    """The private chats of whoever is on call."""
    return rules.chats(f"person:{shift.person}" for shift in shifts_now(tx, rules, now))
