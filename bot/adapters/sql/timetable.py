"""Timers, marks and overrides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from bot.adapters.sql.schema import marks, overrides, timers
from bot.adapters.sql.statements import LIMIT, Row, Session, Speech
from bot.adapters.sql.values import clean, document, index_key, maybe_moment, micros, moment
from bot.domain.oncall import Shift
from bot.ports.timetable import Timer


class TimetableStatements:
    """Statements over timers, marks and overrides."""

    def __init__(self, speech: Speech) -> None:
        t = timers.c
        this = (t.kind == bindparam("kind"), t.ident == bindparam("ident"))
        upsert = speech.insert(timers)
        later = upsert.on_conflict_do_update(index_elements=[t.kind, t.ident], set_={"at": upsert.excluded.at})
        self.set_timer = speech.prepare(later)
        self.drop_timer = speech.prepare(delete(timers).where(*this))
        self.timer = speech.prepare(select(t.at).where(*this))
        of_kind = select(t.kind, t.ident, t.at).where(t.kind == bindparam("kind"))
        self.timers = speech.prepare(of_kind.order_by(t.at, t.ident))
        ripe = select(t.kind, t.ident, t.at).where(t.at <= bindparam("now"))
        self.ripe_timers = speech.prepare(ripe.order_by(t.at, t.kind, t.ident).limit(LIMIT))
        mark = speech.insert(marks)
        kept = mark.on_conflict_do_update(index_elements=[marks.c.name], set_={"doc": mark.excluded.doc})
        self.put_mark = speech.prepare(kept)
        self.mark = speech.prepare(select(marks.c.doc).where(marks.c.name == bindparam("name")))
        self.add_override = speech.prepare(speech.insert(overrides).on_conflict_do_nothing())
        o = overrides.c
        touching = select(o.doc).where(o.ends > bindparam("start"), o.starts <= bindparam("end"))
        self.overrides = speech.prepare(touching.order_by(o.starts, o.ends, o.doc))


class Timetable(Session):
    """The ``Timetable`` port."""

    _timetable: TimetableStatements

    def set_timer(self, kind: str, ident: str, at: datetime) -> None:
        self._do(self._timetable.set_timer, kind=kind, ident=index_key(ident), at=micros(at))

    def drop_timer(self, kind: str, ident: str) -> None:
        self._do(self._timetable.drop_timer, kind=kind, ident=index_key(ident))

    def timer(self, kind: str, ident: str) -> datetime | None:
        row = self._row(self._timetable.timer, kind=kind, ident=index_key(ident))
        return None if row is None else maybe_moment(row[0])

    def ripe_timers(self, now: datetime, limit: int) -> tuple[Timer, ...]:
        return _timers(self._rows(self._timetable.ripe_timers, now=micros(now), limit=limit))

    def timers(self, kind: str) -> tuple[Timer, ...]:
        return _timers(self._rows(self._timetable.timers, kind=kind))

    def put_mark(self, name: str, value: object) -> None:
        self._do(self._timetable.put_mark, name=clean(name), doc=document(value))

    def mark(self, name: str) -> Any:  # noqa: ANN401 - the caller knows what it put
        return self._doc(self._timetable.mark, name=clean(name))

    def add_override(self, shift: Shift) -> None:
        self._do(
            self._timetable.add_override, starts=micros(shift.starts), ends=micros(shift.ends), doc=document(shift)
        )

    def overrides(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        return self._docs(self._timetable.overrides, start=micros(start), end=micros(end))


def _timers(rows: list[Row]) -> tuple[Timer, ...]:
    return tuple(Timer(kind, ident, moment(at)) for kind, ident, at in rows)
