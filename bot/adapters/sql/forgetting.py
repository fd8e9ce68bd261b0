"""What may be forgotten: rows that are over, shown and old. Never the audit chain, nor what it speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BindParameter, Column, ColumnElement, Table, bindparam, delete, exists, select, tuple_

from bot.adapters.sql.schema import DUE, cards, events, gathered, groups, messages, overrides, requests, storms
from bot.adapters.sql.statements import LIMIT, Prepared, Speech


class Forgetting:
    """``statements``: each deletes at most ``limit`` rows of its kind, so that no commit waits long for one."""

    def __init__(self, speech: Speech) -> None:
        self.statements = tuple(_statements(speech))


def _statements(speech: Speech) -> Iterator[Prepared]:
    before: BindParameter[int] = bindparam("before")
    e, g, s = events.c, groups.c, storms.c
    yield _delete(speech, events, (e.received_at, e.id), e.received_at < before)
    yield _delete(speech, requests, (requests.c.id,), requests.c.answered_at < before)
    yield _delete(speech, overrides, tuple(overrides.c), overrides.c.ends < before)
    yield _delete(speech, groups, (g.id,), g.closed_at < before)
    yield _delete(speech, storms, (s.id,), s.closed_at < before)
    orphans = ~exists().where(s.id == gathered.c.storm)
    yield _delete(speech, gathered, (gathered.c.storm, gathered.c.group_id), orphans)
    c = cards.c
    over = ~DUE & (c.changed_at < before)
    yield _delete(speech, cards, (c.subject, c.destination), over, ~_alive())
    shown_nowhere = ~exists().where(c.subject == messages.c.subject)
    yield _delete(speech, messages, (messages.c.subject,), shown_nowhere)


def _alive() -> ColumnElement[bool]:
    """The card's subject is a group or an operation that is still there: its next change is an edit, not a post."""
    return exists().where(cards.c.subject == "alert:" + groups.c.id) | cards.c.subject.startswith("op:")


def _delete(speech: Speech, table: Table, key: tuple[Column[object], ...], *old: ColumnElement[bool]) -> Prepared:
    found = select(*key).where(*old).limit(LIMIT)
    return speech.prepare(delete(table).where(tuple_(*key).in_(found)))
