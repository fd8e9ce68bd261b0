"""Cards: what destinations should show, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import orjson

from bot.adapters.sql.card_statements import CardStatements
from bot.adapters.sql.statements import Prepared, Row, Session
from bot.adapters.sql.values import clean, document, maybe_micros, maybe_moment, micros, moment, reading
from bot.domain.cards import Card, Place, Priority, Ref, Wish
from bot.domain.messages import Message


class Cards(Session):
    """The ``Cards`` port."""

    _cards: CardStatements

    def show(self, wish: Wish, now: datetime) -> None:
        self._do(
            self._cards.show,
            subject=clean(wish.subject),
            destination=wish.place.lane,
            place=_place_text(wish.place),
            priority=int(wish.priority),
            parent=clean(wish.parent),
            not_before=maybe_micros(wish.not_before),
            now=micros(now),
        )
        self.touched.add(wish.place.lane)

    def bump(self, subject: str, now: datetime) -> None:
        for (destination,) in self._rows(self._cards.bump, subject=clean(subject), now=micros(now)):
            self.touched.add(destination)

    def due(self, destination: str, now: datetime) -> Card | None:
        row = self._row(self._cards.due, destination=destination, now=micros(now))
        return None if row is None else _card(row)

    def next_try(self, destination: str) -> datetime | None:
        row = self._row(self._cards.next_try, destination=destination)
        return None if row is None else maybe_moment(row[0])

    def busy(self) -> frozenset[str]:
        return frozenset(destination for (destination,) in self._rows(self._cards.busy))

    def shown(self, card: Card, ref: Ref, now: datetime) -> None:
        self._change(self._cards.shown, card, revision=card.wanted, handle=_ref_text(ref), now=micros(now))

    def postpone(self, card: Card, until: datetime, error: str) -> None:
        self._change(self._cards.postpone, card, until=micros(until), why=clean(error))
        self.touched.add(card.place.lane)

    def lose(self, card: Card) -> None:
        self._change(self._cards.lose, card)
        self.touched.add(card.place.lane)

    def bury(self, card: Card, error: str) -> None:
        self._change(self._cards.bury, card, why=clean(error))

    def unposted(self, destination: str) -> tuple[Card, ...]:
        """The most urgent first; also those put off."""
        return tuple(_card(row) for row in self._rows(self._cards.unposted, destination=destination))

    def late_pages(self, before: datetime) -> tuple[Card, ...]:
        return tuple(_card(row) for row in self._rows(self._cards.late_pages, before=micros(before)))

    def cards_of(self, subject: str) -> tuple[Card, ...]:
        return tuple(_card(row) for row in self._rows(self._cards.cards_of, subject=clean(subject)))

    def latest_cards(self, destination: str, limit: int) -> tuple[Card, ...]:
        """The last created first."""
        return tuple(_card(row) for row in self._rows(self._cards.latest, destination=destination, limit=limit))

    def backlog(self) -> Mapping[str, tuple[int, datetime]]:
        rows = self._rows(self._cards.backlog)
        return {destination: (count, moment(since)) for destination, count, since in rows}

    def put_message(self, subject: str, message: Message) -> None:
        self._do(self._cards.put_message, subject=clean(subject), doc=document(message))

    def message(self, subject: str) -> Message | None:
        message: Message | None = self._doc(self._cards.message, subject=clean(subject))
        return message

    def _change(self, statement: Prepared, card: Card, **values: object) -> None:
        self._do(statement, subject=clean(card.subject), destination=card.place.lane, **values)


@lru_cache(maxsize=1024)
def _place_text(place: Place) -> str:
    return document(place)


@lru_cache(maxsize=1024)
def _place(text: str) -> Place:
    place: Place = reading(text)
    return place


def _ref_text(ref: Ref) -> str:
    return orjson.dumps([ref.chat, ref.message, ref.kind, dict(ref.extra)]).decode()


def _ref(text: str | None) -> Ref | None:
    return None if text is None else Ref(*orjson.loads(text))


def _card(row: Row) -> Card:
    subject, place, priority, wanted, shown, ref, attempts, created_at, changed_at, not_before, parent, above = row
    return Card(
        subject,
        _place(place),
        Priority(priority),
        wanted,
        shown,
        _ref(ref),
        attempts,
        moment(created_at),
        moment(changed_at),
        maybe_moment(not_before),
        parent,
        _ref(above),
    )
