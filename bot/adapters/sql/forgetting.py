"""What may be forgotten: rows that are over, shown and old. Never the audit chain, nor what it speaks of.

A group goes after its last card, a storm after its last card and all it gathered: else a new group that gets the same
id by chance would edit a message of long ago in place of being posted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    tuple_,
)

from bot.adapters.sql.schema import (
    DUE,
    OTHER,
    ZERO,
    cards,
    events,
    gathered,
    groups,
    messages,
    overrides,
    requests,
    storms,
)
from bot.adapters.sql.statements import LIMIT, Prepared, Speech

BEFORE: BindParameter[int] = bindparam("before")


def forgetting(speech: Speech) -> tuple[Prepared, ...]:
    """In their order. Each deletes at most ``limit`` rows, or the cards of so many groups: no commit waits long."""
    return (*_plain(speech), *_alerts(speech), *_others(speech))


def _plain(speech: Speech) -> Iterator[Prepared]:
    e, r, o = events.c, requests.c, overrides.c
    yield _delete(speech, events, select(e.received_at, e.id).where(e.received_at < BEFORE))
    yield _delete(speech, requests, select(r.id).where(r.answered_at < BEFORE))
    yield _delete(speech, overrides, select(o.starts, o.ends, o.doc).where(o.ends < BEFORE))


def _alerts(speech: Speech) -> Iterator[Prepared]:
    """Groups of which no card is young or has yet to be shown; their cards before them, in the same call."""
    c, g = cards.c, groups.c
    subject = "alert:" + g.id
    shown_long_ago = and_(not_(DUE), c.changed_at < BEFORE)
    needed = exists().where(c.subject == subject, not_(shown_long_ago))
    closed = g.closed_at < BEFORE, not_(needed)
    oldest = g.closed_at, g.id
    chosen = select(subject).where(*closed).order_by(*oldest).limit(LIMIT)
    yield speech.prepare(delete(cards).where(c.subject.in_(chosen)))
    yield _delete(speech, groups, select(g.id).where(*closed).order_by(*oldest))


def _others(speech: Speech) -> Iterator[Prepared]:
    """Answers, notices, releases, storms. What a message is kept for, and its cards, go in the same call."""
    c, s = cards.c, storms.c
    over = _over_others(cards)
    oldest = c.created_at, c.subject, c.destination
    chosen = select(c.subject).where(OTHER, over).order_by(*oldest).limit(LIMIT)
    still = cards.alias("still")
    wanted = exists().where(still.c.subject == messages.c.subject, not_(_over_others(still)))
    yield speech.prepare(delete(messages).where(messages.c.subject.in_(chosen), not_(wanted)))
    yield _delete(speech, cards, select(c.subject, c.destination).where(OTHER, over).order_by(*oldest))
    closed = s.closed_at < BEFORE
    inside = select(gathered.c.storm, gathered.c.group_id).select_from(storms.join(gathered, gathered.c.storm == s.id))
    yield _delete(speech, gathered, inside.where(closed).order_by(s.closed_at, s.id))
    empty = not_(exists().where(gathered.c.storm == s.id)), not_(exists().where(c.subject == "storm:" + s.id))
    yield _delete(speech, storms, select(s.id).where(closed, *empty).order_by(s.closed_at, s.id))


def _over_others(table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the table or an alias of it
    """It names the age of the card's making, too, which its last change implies: that is what the index is of."""
    c, s = table.c, storms.c
    its_storm = and_(s.id == func.substr(c.subject, len("storm:") + 1), c.subject == "storm:" + s.id)
    raging = exists().where(its_storm, or_(s.closed_at.is_(None), s.closed_at >= BEFORE))
    lags = and_(c.wanted > c.shown, c.dead == ZERO)
    return and_(c.created_at < BEFORE, c.changed_at < BEFORE, not_(lags), not_(raging))


def _delete(speech: Speech, table: Table, found: Select[Any]) -> Prepared:
    key: tuple[Column[Any], ...] = tuple(table.primary_key.columns)
    column = tuple_(*key) if len(key) > 1 else key[0]
    return speech.prepare(delete(table).where(column.in_(found.limit(LIMIT))))
