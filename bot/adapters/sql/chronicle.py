"""Storms, the past of alerts, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial

from sqlalchemy import Text, bindparam, case, func, literal_column, select

from bot.adapters.sql.forgetting import forgetting
from bot.adapters.sql.schema import ONE, RAGING, ZERO, begins, cards, gathered, groups, storms
from bot.adapters.sql.statements import LIMIT, Session, Speech
from bot.adapters.sql.values import MICROSECOND, clean, document, maybe_micros, micros, moment, reading
from bot.domain.alerts import Group
from bot.domain.history import SHORT, RuleRecord
from bot.domain.storms import Gathered, Storm
from bot.ports.chronicle import Pruned

NAMELESS = literal_column("''", Text)
"""Of groups that an earlier version stored."""
SCANNED = 5_000
"""Groups of the past that a search looks at, at most: the newest."""


class ChronicleStatements:
    """Statements over storms and over the past."""

    def __init__(self, speech: Speech) -> None:
        self._storms(speech)
        self._past(speech)
        self.forgetting = cache(partial(forgetting, speech))

    def _storms(self, speech: Speech) -> None:
        upsert = speech.insert(storms)
        kept = {name: upsert.excluded[name] for name in ("closed_at", "doc")}
        self.save_storm = speech.prepare(upsert.on_conflict_do_update(index_elements=[storms.c.id], set_=kept))
        self.storm = speech.prepare(select(storms.c.doc).where(storms.c.id == bindparam("id")))
        here = storms.c.destination == bindparam("destination")
        self.open_storm = speech.prepare(select(storms.c.doc).where(here, RAGING))
        g = gathered.c
        member = speech.insert(gathered)
        known = ("name", "service", "severity", "since", "firing", "held_by")
        again = member.on_conflict_do_update(
            index_elements=[g.storm, g.group_id], set_={name: member.excluded[name] for name in known}
        )
        self.gather = speech.prepare(again)
        row = select(g.group_id, g.name, g.service, g.severity, g.since, g.firing, g.held_by)
        order = g.firing.desc(), g.since.desc(), g.group_id
        self.gathered = speech.prepare(row.where(g.storm == bindparam("storm")).order_by(*order))

    def _past(self, speech: Speech) -> None:
        recent = select(cards.c.created_at).where(
            cards.c.destination == bindparam("destination"),
            cards.c.created_at > bindparam("since"),
            begins(cards.c.subject, "alert:"),
        )
        self.new_alerts = speech.prepare(
            select(func.count()).select_from(recent.order_by(cards.c.created_at).limit(LIMIT).subquery())
        )
        g = groups.c
        past = select(g.id, g.words).where(g.opened_at >= bindparam("since"))
        self.past = speech.prepare(past.order_by(g.opened_at.desc(), g.id.desc()).limit(LIMIT))
        self.past_group = speech.prepare(select(g.doc).where(g.id == bindparam("id")))
        lasted, waited = g.closed_at - g.opened_at, g.acked_at - g.opened_at
        short = case((lasted < SHORT // MICROSECOND, ONE), else_=ZERO)
        rule = select(
            g.name, g.service, func.count(), func.count(g.closed_at), func.coalesce(func.sum(lasted), ZERO),
            func.coalesce(func.sum(short), ZERO), func.count(g.acked_at), func.coalesce(func.sum(waited), ZERO),
            func.sum(g.pages),
        ).where(g.opened_at >= bindparam("since"), g.opened_at < bindparam("until"), g.name != NAMELESS)  # fmt: skip
        self.records = speech.prepare(rule.group_by(g.name, g.service).order_by(func.count().desc(), g.name, g.service))


class Chronicle(Session):
    """The ``Chronicle`` port."""

    _chronicle: ChronicleStatements

    def new_alerts(self, destination: str, since: datetime, limit: int) -> int:
        rows = self._rows(self._chronicle.new_alerts, destination=destination, since=micros(since), limit=limit)
        return int(rows[0][0])

    def storm(self, ident: str) -> Storm | None:
        storm: Storm | None = self._doc(self._chronicle.storm, id=clean(ident))
        return storm

    def open_storm(self, destination: str) -> Storm | None:
        row = self._row(self._chronicle.open_storm, destination=destination)
        return None if row is None else _storm(row[0])

    def save_storm(self, storm: Storm) -> None:
        self._do(
            self._chronicle.save_storm,
            id=storm.id,
            destination=storm.destination,
            closed_at=maybe_micros(storm.closed_at),
            doc=document(storm),
        )

    def gather(self, storm: str, group: Group) -> None:
        self._do(
            self._chronicle.gather,
            storm=storm,
            group_id=group.id,
            name=clean(group.name),
            service=clean(group.service),
            severity=group.severity,
            since=micros(group.since),
            firing=int(bool(group.firing)),
            held_by=clean(group.ack.person) if group.ack else "",
        )

    def gathered(self, storm: str) -> tuple[Gathered, ...]:
        rows = self._rows(self._chronicle.gathered, storm=storm)
        return tuple(
            Gathered(ident, name, service, severity, moment(since), bool(firing), held_by)
            for ident, name, service, severity, since, firing, held_by in rows
        )

    def past_groups(self, words: Iterable[str], since: datetime, limit: int) -> tuple[Group, ...]:
        """The newest first, among the newest SCANNED. Documents are read of those only that are found."""
        wanted = tuple(clean(word).lower() for word in words)
        rows = self._rows(self._chronicle.past, since=micros(since), limit=SCANNED if wanted else limit)
        found = [ident for ident, text in rows if all(word in text for word in wanted)]
        return tuple(self._doc(self._chronicle.past_group, id=ident) for ident in found[:limit])

    def records(self, since: datetime, until: datetime) -> tuple[RuleRecord, ...]:
        """The most frequent first."""
        rows = self._rows(self._chronicle.records, since=micros(since), until=micros(until))
        return tuple(
            RuleRecord(name, service, count, closed, _length(lasted), int(short), acked, _length(waited), int(pages))
            for name, service, count, closed, lasted, short, acked, waited, pages in rows
        )

    def forget(self, before: datetime, limit: int) -> Pruned:
        rows = [self._do(each, before=micros(before)) for each in self._chronicle.forgetting(limit)]
        return Pruned(sum(rows), any(count >= limit for count in rows))


@lru_cache(maxsize=64)
def _storm(doc: str) -> Storm:
    """Asked for by each group that it gathers, which are many."""
    storm: Storm = reading(doc)
    return storm


def _length(count: float) -> timedelta:
    return int(count) * MICROSECOND
