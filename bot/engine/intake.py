"""Intake: an event, the state it leaves and the cards it touches, in one transaction, before the sender hears 200."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from bot.domain.errors import OverloadedError
from bot.domain.events import Event, Heard
from bot.ports.clock import Clock
from bot.ports.store import Store, Tx
from bot.ports.webhooks import Hear


@dataclass(frozen=True)
class Accepted:
    """``duplicate``: nothing a reader sees has changed."""

    event: str
    duplicate: bool


class Intake:
    """Turns what webhooks told into state and cards. ``overdue`` is kept by the delivery's own count of due cards."""

    def __init__(self, store: Store, clock: Clock, hear: Hear, cap: int = 100_000) -> None:
        self._store, self._clock, self._hear, self._cap = store, clock, hear, cap
        self.overdue = 0

    async def accept(self, source: str, key: str, heard: Heard, body: bytes) -> Accepted:
        """Commit what was *heard*. UnavailableError: nothing was kept, the sender must come again."""
        if self.overdue > self._cap:
            raise OverloadedError(f"{self.overdue} cards are waiting, over the cap of {self._cap}", delay=30)
        event = Event(uuid4().hex, source, key, self._clock.now(), heard, body)
        return await self._store.write(lambda tx: self.record(tx, event) or Accepted(event.id, duplicate=True))

    def record(self, tx: Tx, event: Event) -> Accepted | None:
        """Take *event* in, in somebody else's transaction. None: its key is known already."""
        if event.key and not tx.put_event(event):
            return None
        news = self._hear(tx, event.heard, event.received_at)
        if news and not event.key:
            tx.put_event(event)
        return Accepted(event.id, duplicate=not news and bool(event.heard.notifications))
