"""A long past, written straight into a store's tables: groups that closed, their events, their shown cards."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.sql.values import document, micros, search_words
from bot.domain.alerts import Group
from bot.domain.cards import Place
from bot.domain.events import Heard
from bot.ports.webhooks import Delivery
from handlers.webhooks.alertmanager import parse
from tests.bench.bodies import NAME, Bodies

BATCH = 5_000
DESTINATIONS = ("slack:C0OPS", "console:ops")
MARK = "bench-000000"
EVERY, LASTED = timedelta(seconds=30), timedelta(minutes=10)
EVENT = "INSERT INTO events (received_at, id, source, key, body) VALUES (?, ?, 'alertmanager', '', ?)"
GROUP = (
    "INSERT INTO groups (id, key, episode, opened_at, closed_at, doc, name, service, acked_at, pages, words)"
    " VALUES (?, ?, 1, ?, ?, ?, ?, ?, NULL, 0, ?)"
)
CARD = (
    "INSERT INTO cards (subject, destination, place, priority, wanted, shown, ref, attempts, error, created_at,"
    " changed_at, not_before, dead, parent) VALUES (?, ?, ?, 2, 2, 2, ?, 0, '', ?, ?, NULL, 0, '')"
)


def write(store: Path, count: int) -> None:
    """*count* closed groups, one every thirty seconds up to an hour ago. The store must have its schema."""
    database = sqlite3.connect(store, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    past = Past(count)
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        database.execute("BEGIN")
        database.executemany(EVENT, past.events(numbers))
        database.executemany(GROUP, past.groups(numbers))
        database.executemany(CARD, past.cards(numbers))
        database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with store.open("rb") as file:  # else its writing back would slow whatever is measured next
        os.fsync(file.fileno())


class Past:
    """Rows for groups by number: one real group's document with the number written over its own."""

    def __init__(self, count: int) -> None:
        now = datetime.now(UTC)
        self._began = now - timedelta(hours=1) - count * EVERY
        _, self._body = Bodies("warning").take()
        heard: Heard = parse(Delivery({}, self._body, now))
        told = heard.notifications[0]
        self._key = told.key
        alerts = {alert.fingerprint: alert for alert in told.alerts}
        group = Group("a-@ID@", told.key, told.source, told.labels, alerts, now, closed_at=now, url=told.url)
        self._group, self._words, self._rule = document(group), search_words(group), group.name

    def _at(self, number: int) -> int:
        return micros(self._began + number * EVERY)

    def events(self, numbers: range) -> Iterator[tuple[object, ...]]:
        for number in numbers:
            body = self._body.replace(MARK.encode(), _name(number).encode())
            yield self._at(number), f"{number:032x}", body

    def groups(self, numbers: range) -> Iterator[tuple[object, ...]]:
        lasted = LASTED // timedelta(microseconds=1)
        for number in numbers:
            doc = self._group.replace(MARK, _name(number)).replace("a-@ID@", _ident(number))
            key = self._key.replace(MARK, _name(number))
            words = self._words.replace(MARK, _name(number)).replace("a-@id@", _ident(number))
            named = self._rule, _name(number)
            yield _ident(number), key, self._at(number), self._at(number) + lasted, doc, *named, words

    def cards(self, numbers: range) -> Iterator[tuple[object, ...]]:
        for number in numbers:
            at = self._at(number)
            for destination in DESTINATIONS:
                place = document(Place(destination))
                yield f"alert:{_ident(number)}", destination, place, f'["C0OPS","{number}","",{{}}]', at, at


def _name(number: int) -> str:
    return "past-" + NAME % number


def _ident(number: int) -> str:
    return f"a-past{number:06d}"
