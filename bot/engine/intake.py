"""Intake: an event, the state it leaves and the cards it touches, in one transaction, before the sender hears 200."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from bot.domain.alerts import Group, Notification, fold
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.errors import UnavailableError
from bot.domain.events import Event, Heard
from bot.domain.ids import ALERT, short
from bot.domain.releases import Release, merge
from bot.domain.routes import Route, Target, targets
from bot.ports.clock import Clock
from bot.ports.store import Store, Tx

WATCHDOG = "Watchdog"
"""The alert that always fires to prove that monitoring is alive: expected, never shown."""


@dataclass(frozen=True)
class Accepted:
    """``duplicate``: nothing a reader sees has changed."""

    event: str
    duplicate: bool


class Intake:
    """Turns what webhooks told into state and cards. ``overdue`` is kept by the delivery's own count of due cards."""

    def __init__(
        self, store: Store, clock: Clock, routes: Iterable[Route], releases_to: Iterable[str], cap: int = 100_000
    ) -> None:
        self._store, self._clock, self._cap = store, clock, cap
        self._routes, self._releases_to = tuple(routes), tuple(releases_to)
        self.overdue = 0

    async def accept(self, source: str, key: str, heard: Heard, body: bytes) -> Accepted:
        """Commit what was *heard*. UnavailableError: nothing was kept, the sender must come again."""
        if self.overdue > self._cap:
            raise UnavailableError(f"{self.overdue} cards are waiting, over the cap of {self._cap}", delay=30)
        event = Event(uuid4().hex, source, key, self._clock.now(), heard, body)
        return await self._store.write(lambda tx: self._record(tx, event))

    def _record(self, tx: Tx, event: Event) -> Accepted:
        if event.key and not tx.put_event(event):
            return Accepted(event.id, duplicate=True)
        news = [self._notified(tx, told, event.received_at) for told in event.heard.notifications]
        if event.heard.release:
            news.append(self._released(tx, event.heard.release, event.received_at))
        if event.key:
            return Accepted(event.id, duplicate=False)
        if any(news):
            tx.put_event(event)
        return Accepted(event.id, duplicate=not any(news))

    def _notified(self, tx: Tx, told: Notification, now: datetime) -> bool:
        if all(alert.labels.get("alertname") == WATCHDOG for alert in told.alerts):
            return False
        known = tx.latest_group(told.key)
        group = fold(known, told, now, _free_id(tx, told, known))
        if group is None or group is known:
            return False
        tx.save_group(group)
        self._show(tx, group, known, now)
        return True

    def _show(self, tx: Tx, group: Group, known: Group | None, now: datetime) -> None:
        """Cards for every target; those of an episode already shown are bumped, wherever they stand."""
        what, wanted = subject("alert", group.id), targets(group, self._routes)
        if known and known.id == group.id:
            tx.bump(what, now)
            before = {target.destination: target for target in targets(known, self._routes)}
            wanted = tuple(target for target in wanted if target != before.get(target.destination))
        for target in wanted:
            tx.show(_wish(what, target), now)

    def _released(self, tx: Tx, told: Release, now: datetime) -> bool:
        release = merge(tx.release(told.service, told.version), told)
        tx.save_release(release)
        for destination in self._releases_to:
            tx.show(Wish(subject("release", release.id), Place(destination)), now)
        return True


def _wish(what: str, target: Target) -> Wish:
    place = Place(target.destination, locale=target.locale, zone=target.zone)
    return Wish(what, place, Priority.PAGE if target.page else Priority.NORMAL)


def _free_id(tx: Tx, told: Notification, known: Group | None) -> str:
    """The id a new episode would get; one letter longer each time it is taken."""
    if known and known.closed_at is None:
        return known.id
    seed = f"{told.source} {told.key} {known.episode if known else 0}"
    length = 4
    while tx.group(short(ALERT, seed, length)):
        length += 1
    return short(ALERT, seed, length)
