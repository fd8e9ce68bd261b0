"""Requests, operations with their approvals, and the audit chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, insert, or_, select, update

from bot.adapters.sql.schema import LIVE, ONE, UNANSWERED, approvals, audit, operations, pulse, replicas, requests
from bot.adapters.sql.statements import LIMIT, Connection, Row, Session, Speech
from bot.adapters.sql.values import clean, document, index_key, micros, moment
from bot.domain.audit import GENESIS, Deed, Entry, seal
from bot.domain.operations import Approval, Operation
from bot.domain.requests import Request


class WorkStatements:
    """Statements over requests, operations, approvals and the audit chain."""

    def __init__(self, speech: Speech) -> None:
        self._requests(speech)
        self._operations(speech)
        self._audit(speech)
        beat = speech.insert(pulse).values(id=ONE, beats=ONE)
        again = {"beats": pulse.c.beats + ONE}
        self.beat = speech.prepare(beat.on_conflict_do_update(index_elements=[pulse.c.id], set_=again))

    def _requests(self, speech: Speech) -> None:
        self.put_request = speech.prepare(speech.insert(requests).on_conflict_do_nothing())
        first = update(requests).where(requests.c.id == bindparam("this"), UNANSWERED)
        self.answered = speech.prepare(first.values(answered_at=bindparam("now")))
        alive = select(replicas.c.boot).where(replicas.c.expires_at > speech.now())
        me = bindparam("boot", type_=Text)
        left = update(requests).where(UNANSWERED, requests.c.owner != me, requests.c.owner.not_in(alive))
        self.take_over = speech.prepare(left.values(owner=me).returning(requests.c.doc, requests.c.received_at))
        self.owner = speech.prepare(select(requests.c.owner).where(requests.c.id == bindparam("this")))

    def _operations(self, speech: Speech) -> None:
        operation: Select[tuple[str]] = select(operations.c.doc)
        upsert = speech.insert(operations)
        kept = {name: upsert.excluded[name] for name in ("state", "live", "doc")}
        self.save_operation = speech.prepare(upsert.on_conflict_do_update(index_elements=[operations.c.id], set_=kept))
        self.save_approval = speech.prepare(speech.insert(approvals).on_conflict_do_nothing())
        self.operation = speech.prepare(operation.where(operations.c.id == bindparam("id")))
        live = operation.where(LIVE).order_by(operations.c.created_at, operations.c.id)
        self.live_operations = speech.prepare(live)
        latest = operations.c.created_at.desc(), operations.c.id.desc()
        self.recent_operations = speech.prepare(operation.order_by(*latest).limit(LIMIT))

    def _audit(self, speech: Speech) -> None:
        entry: Select[Any] = select(audit)
        a = audit.c
        head = select(a.number, a.hash).order_by(a.number.desc()).limit(1)
        self.head = speech.prepare(head)
        self.append = speech.prepare(insert(audit))
        onwards = entry.where(a.number >= bindparam("first")).order_by(a.number).limit(LIMIT)
        self.entries = speech.prepare(onwards)
        pattern = func.lower(bindparam("pattern"))
        words = (a.person, a.action, a.target, a.result, a.detail)
        found = or_(*[func.lower(word).like(pattern, escape="\\") for word in words])
        self.latest_entries = speech.prepare(entry.where(found).order_by(a.number.desc()).limit(LIMIT))


class Work(Session):
    """The ``Work`` port. The head of the audit chain is looked up once per transaction."""

    _work: WorkStatements

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._head: tuple[int, str] | None = None

    def put_request(self, request: Request, owner: str = "") -> bool:
        count = self._do(
            self._work.put_request,
            id=index_key(request.id),
            received_at=micros(request.received_at),
            answered_at=None,
            owner=owner,
            doc=document(request),
        )
        return count == 1

    def answered(self, ident: str, now: datetime) -> bool:
        """The first answer counts."""
        return self._do(self._work.answered, this=index_key(ident), now=micros(now)) == 1

    def asked_of(self, ident: str) -> str:
        row = self._row(self._work.owner, this=index_key(ident))
        return str(row[0]) if row else ""

    def take_over(self, owner: str) -> tuple[Request, ...]:
        """The longest waiting first."""
        rows = sorted(self._rows(self._work.take_over, boot=owner), key=lambda row: row[1])
        return tuple(self._read(doc) for doc, _ in rows)

    def operation(self, ident: str) -> Operation | None:
        operation: Operation | None = self._doc(self._work.operation, id=clean(ident))
        return operation

    def save_operation(self, operation: Operation) -> None:
        self._do(
            self._work.save_operation,
            id=operation.id,
            state=operation.state.value,
            live=int(not operation.final),
            created_at=micros(operation.created_at),
            doc=document(operation),
        )
        for approval in operation.approvals:
            self._approve(approval)

    def live_operations(self) -> tuple[Operation, ...]:
        """The oldest first."""
        return self._docs(self._work.live_operations)

    def recent_operations(self, limit: int) -> tuple[Operation, ...]:
        """The last proposed first."""
        return self._docs(self._work.recent_operations, limit=limit)

    def append(self, deed: Deed) -> Entry:
        """Sealed as it will be read back: in UTC, and in characters that every database keeps."""
        number, previous = self._head or self._row(self._work.head) or (0, GENESIS)
        entry = seal(number + 1, _kept(deed), previous)
        kept = {name: getattr(entry.deed, name) for name in _WORDS}
        self._do(
            self._work.append,
            number=entry.number,
            at=micros(entry.deed.at),
            previous=entry.previous,
            hash=entry.hash,
            **kept,
        )
        self._head = entry.number, entry.hash
        return entry

    def entries(self, first: int = 1, limit: int = 1000) -> Iterable[Entry]:
        return tuple(_entry(row) for row in self._rows(self._work.entries, first=first, limit=limit))

    def latest_entries(self, containing: str, limit: int) -> tuple[Entry, ...]:
        """The newest first. Case does not matter in English letters; no wildcards."""
        plain = clean(containing).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return tuple(_entry(row) for row in self._rows(self._work.latest_entries, pattern=f"%{plain}%", limit=limit))

    def beat(self) -> None:
        """Change something, so that a commit proves the store takes commits."""
        self._do(self._work.beat)

    def _approve(self, approval: Approval) -> None:
        self._do(
            self._work.save_approval,
            operation=approval.operation,
            person=clean(approval.person),
            verdict=approval.verdict.value,
            plan_hash=approval.plan_hash,
            platform=approval.platform,
            at=micros(approval.at),
            reason=clean(approval.reason),
        )


_WORDS = ("person", "platform", "action", "target", "result", "detail")


def _kept(deed: Deed) -> Deed:
    words = {name: clean(str(getattr(deed, name))) for name in _WORDS}
    return replace(deed, at=moment(micros(deed.at)), **words)


def _entry(row: Row) -> Entry:
    number, at, person, platform, action, target, result, detail, previous, digest = row
    return Entry(number, Deed(moment(at), person, platform, action, target, result, detail), previous, digest)
