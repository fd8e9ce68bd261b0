"""Statements over cards, and over the messages that some of them show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.types import Integer, Text

from bot.adapters.sql.schema import DUE, HELD, ONE, UNSEEN, ZERO, cards, messages
from bot.adapters.sql.statements import LIMIT, Prepared, Speech

NONE = literal_column("''", Text)
ANYWHERE = {
    "wanted": cards.c.wanted + ONE,
    "changed_at": case((DUE, cards.c.changed_at), else_=bindparam("now")),
    "attempts": case((cards.c.dead == ONE, ZERO), else_=cards.c.attempts),
    "error": case((cards.c.dead == ONE, NONE), else_=cards.c.error),
    "not_before": case((cards.c.dead == ONE, null()), else_=cards.c.not_before),
    "dead": ZERO,
}
"""What a bump does. A card that lags keeps since when it does; a buried one starts afresh."""


class CardStatements:
    """Statements over cards and messages."""

    def __init__(self, speech: Speech) -> None:
        self._moves(speech)
        self._looks(speech)
        upsert = speech.insert(messages)
        said = upsert.on_conflict_do_update(index_elements=[messages.c.subject], set_={"doc": upsert.excluded.doc})
        self.put_message = speech.prepare(said)
        self.message = speech.prepare(select(messages.c.doc).where(messages.c.subject == bindparam("subject")))

    def _moves(self, speech: Speech) -> None:
        this = and_(cards.c.subject == bindparam("subject"), cards.c.destination == bindparam("destination"))
        change = update(cards).where(this)
        bump = update(cards).where(cards.c.subject == bindparam("subject"))
        self.show = _show(speech)
        self.bump = speech.prepare(bump.values(ANYWHERE).returning(cards.c.destination))
        self.shown = _shown(speech, this)
        later = {"not_before": bindparam("until"), "error": bindparam("why"), "attempts": cards.c.attempts + ONE}
        self.postpone = speech.prepare(change.values(later))
        self.lose = speech.prepare(change.values(ref=null(), shown=ZERO))
        self.bury = speech.prepare(change.values(dead=ONE, error=bindparam("why")))

    def _looks(self, speech: Speech) -> None:
        here = cards.c.destination == bindparam("destination")
        card = _whole()
        ripe = or_(cards.c.not_before.is_(None), cards.c.not_before <= bindparam("now"))
        order = cards.c.priority, cards.c.changed_at, cards.c.subject
        self.due = speech.prepare(card.where(here, DUE, ripe, _rooted() == ONE).order_by(*order).limit(1))
        self.unposted = speech.prepare(card.where(here, DUE, cards.c.ref.is_(None)).order_by(*order))
        late = card.where(UNSEEN, cards.c.created_at < bindparam("before"))
        self.late_pages = speech.prepare(late.order_by(cards.c.created_at, cards.c.subject))
        of_subject = card.where(cards.c.subject == bindparam("subject"))
        self.cards_of = speech.prepare(of_subject.order_by(cards.c.destination))
        self.latest = speech.prepare(card.where(here).order_by(cards.c.created_at.desc()).limit(LIMIT))
        held = select(func.min(cards.c.not_before)).where(here, HELD)
        self.next_try = speech.prepare(held)
        self.busy = speech.prepare(select(cards.c.destination).where(DUE).distinct())
        count = select(cards.c.destination, func.count(), func.min(cards.c.changed_at))
        self.backlog = speech.prepare(count.where(DUE).group_by(cards.c.destination))


def _show(speech: Speech) -> Prepared:
    fresh = {
        **{name: bindparam(name) for name in ("subject", "destination", "place", "priority", "parent", "not_before")},
        **dict.fromkeys(("shown", "attempts", "dead"), ZERO),
        **{name: bindparam("now") for name in ("created_at", "changed_at")},
        "wanted": ONE,
        "error": NONE,
    }
    insert = speech.insert(cards).values(fresh)
    told = insert.excluded.priority
    quiet = and_(insert.excluded.not_before.is_(None), cards.c.attempts == ZERO)  # it waits for no other attempt
    again = {
        **ANYWHERE,
        "priority": case((told < cards.c.priority, told), else_=cards.c.priority),
        "not_before": case((or_(told < cards.c.priority, quiet), null()), else_=ANYWHERE["not_before"]),
    }
    key = [cards.c.subject, cards.c.destination]
    return speech.prepare(insert.on_conflict_do_update(index_elements=key, set_=again))


def _shown(speech: Speech, this: ColumnElement[bool]) -> Prepared:
    """What moved on meanwhile lags since now, if this showing was any progress."""
    revision = bindparam("revision", type_=Integer)
    progress = and_(cards.c.wanted > revision, revision > cards.c.shown)
    return speech.prepare(
        update(cards)
        .where(this)
        .values(
            shown=revision,
            ref=bindparam("handle"),
            attempts=ZERO,
            error=NONE,
            not_before=null(),
            changed_at=case((progress, bindparam("now")), else_=cards.c.changed_at),
        )
    )


def _rooted() -> ColumnElement[int]:
    """1 unless what the card answers is still to be posted. As a sub-select, which PostgreSQL looks up card by card; a
    join it would do for all of them before it takes the first."""
    root = cards.alias("root")
    stands = case((or_(root.c.ref.is_not(None), root.c.dead == ONE), ONE), else_=ZERO)
    its = and_(root.c.subject == cards.c.parent, root.c.destination == cards.c.destination)
    return func.coalesce(select(stands).where(its).correlate(cards).scalar_subquery(), ONE)


def _whole() -> Select[Any]:
    """The columns of a ``Card``; the last is the reference of the card it is threaded under."""
    above = cards.alias("above")
    own = (
        cards.c.subject, cards.c.place, cards.c.priority, cards.c.wanted, cards.c.shown, cards.c.ref, cards.c.attempts,
        cards.c.created_at, cards.c.changed_at, cards.c.not_before, cards.c.parent,
    )  # fmt: skip
    is_above = and_(above.c.subject == cards.c.parent, above.c.destination == cards.c.destination)
    return select(*own, above.c.ref).select_from(cards.outerjoin(above, is_above))
