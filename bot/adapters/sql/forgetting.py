"""What may be forgotten: rows that are over, shown and old. Never the audit chain, nor what it speaks of.

A group goes with all its cards, a storm after its card and all it gathered: what fires again after it was forgotten
gets the same id, and would edit a message of long ago in place of being posted.

Rows are found by index and deleted by where they lie. PostgreSQL reads a whole table for a delete by a key of several
columns, or where it can't see how few rows are asked for: so the limit is written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
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
from bot.adapters.sql.statements import Prepared, Speech

BEFORE: BindParameter[int] = bindparam("before")


def forgetting(speech: Speech, limit: int) -> tuple[Prepared, ...]:
    """In their order. Each deletes at most *limit* rows, or the cards of so many groups: no commit waits long."""
    found = Found(speech, limit)
    every = (*found.plain(), *found.alerts(), *found.others())
    return tuple(speech.prepare(speech.delete(table, rows)) for table, rows in every)


Rows = Iterator[tuple[Table, Select[Any]]]
"""A table, and where those of its rows lie that may go."""


class Found:
    """What may go, kind by kind."""

    def __init__(self, speech: Speech, limit: int) -> None:
        self._speech, self._few = speech, literal_column(str(limit), Integer)

    def plain(self) -> Rows:
        for table, age in ((events, "received_at"), (requests, "answered_at"), (overrides, "ends")):
            since = table.c[age]
            yield table, self._lying(table).where(since < BEFORE).order_by(since).limit(self._few)

    def alerts(self) -> Rows:
        """Groups of which no card is young or has yet to be shown; their cards before them, in the same call."""
        c, g = cards.c, groups.c
        subject = ("alert:" + g.id).label("subject")
        shown_long_ago = and_(not_(DUE), c.changed_at < BEFORE)
        needed = exists().where(c.subject == "alert:" + g.id, not_(shown_long_ago))
        oldest = g.closed_at, g.id
        over = g.closed_at < BEFORE, not_(needed)
        chosen = select(subject).where(*over).order_by(*oldest).limit(self._few).subquery("chosen")
        yield cards, self._lying(cards).select_from(chosen.join(cards, c.subject == chosen.c.subject))
        yield groups, self._lying(groups).where(*over).order_by(*oldest).limit(self._few)

    def others(self) -> Rows:
        """Answers, notices, releases, storms. What a message is kept for, and its cards, go in the same call."""
        c, s = cards.c, storms.c
        over, oldest = (OTHER, _over(cards)), (c.created_at, c.subject, c.destination)
        chosen = select(c.subject).where(*over).order_by(*oldest).limit(self._few).subquery("chosen")
        still = cards.alias("still")
        needed = exists().where(still.c.subject == messages.c.subject, not_(_over(still)))
        theirs = chosen.join(messages, messages.c.subject == chosen.c.subject)
        yield messages, self._lying(messages).select_from(theirs).where(not_(needed))
        yield cards, self._lying(cards).where(*over).order_by(*oldest).limit(self._few)
        calm = s.closed_at < BEFORE
        inside = self._lying(gathered).select_from(storms.join(gathered, gathered.c.storm == s.id)).where(calm)
        yield gathered, inside.order_by(s.closed_at, s.id).limit(self._few)
        empty = not_(exists().where(gathered.c.storm == s.id)), not_(exists().where(c.subject == "storm:" + s.id))
        yield storms, self._lying(storms).where(calm, *empty).order_by(s.closed_at, s.id).limit(self._few)

    def _lying(self, table: Table) -> Select[Any]:
        return select(self._speech.lies(table))


def _over(table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the table or an alias of it
    """It names the age of the card's making, too, which its last change implies: that is what the index is of."""
    c, s = table.c, storms.c
    its_storm = and_(s.id == func.substr(c.subject, len("storm:") + 1), c.subject == "storm:" + s.id)
    raging = exists().where(its_storm, or_(s.closed_at.is_(None), s.closed_at >= BEFORE))
    lags = and_(c.wanted > c.shown, c.dead == ZERO)
    return and_(c.created_at < BEFORE, c.changed_at < BEFORE, not_(lags), not_(raging))
