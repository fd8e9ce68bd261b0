"""Leases and replicas. Every time is the database's: replicas' own clocks may differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, bindparam, case, delete, literal_column, or_, select, update

from bot.adapters.sql.schema import ONE, ZERO, leases, replicas
from bot.adapters.sql.statements import Session, Speech
from bot.adapters.sql.values import MICROSECOND, clean, document, reading
from bot.domain.leases import CHANGED, Lease, Replica, Tenure
from bot.domain.phrases import Phrase, verbatim

NOBODY = literal_column("''", leases.c.owner.type)


class LeaseStatements:
    """Statements over leases and replicas."""

    def __init__(self, speech: Speech) -> None:
        now = speech.now()
        later = now + bindparam("ttl", type_=BigInteger)
        self._replicas(speech)
        le = leases.c
        self.tenures = speech.prepare(select(le.name, le.owner, le.epoch, case((le.expires_at > now, ONE), else_=ZERO)))
        mine = le.owner == bindparam("boot")
        this = le.name == bindparam("this")
        self.renew = speech.prepare(update(leases).where(mine).values(expires_at=later))
        first = speech.insert(leases).values(
            name=bindparam("name"), owner=bindparam("boot"), epoch=ONE, expires_at=later
        )
        again = {"owner": first.excluded.owner, "epoch": le.epoch + ONE, "expires_at": first.excluded.expires_at}
        taken = first.on_conflict_do_update(index_elements=[le.name], set_=again).returning(le.epoch)
        self.take = speech.prepare(taken)
        free = {"owner": NOBODY, "expires_at": ZERO}
        self.give_up = speech.prepare(update(leases).where(mine, this).values(free))
        self.give_up_all = speech.prepare(update(leases).where(mine).values(free))
        alive = select(replicas.c.boot)
        self.free_orphans = speech.prepare(
            update(leases).where(le.owner != NOBODY, le.owner.not_in(alive)).values(free)
        )
        self.epoch = speech.prepare(select(le.epoch).where(this))

    def _replicas(self, speech: Speech) -> None:
        now, r = speech.now(), replicas.c
        later = now + bindparam("ttl", type_=BigInteger)
        row: dict[str, Any] = {name: bindparam(name) for name in ("boot", "name", "leaving", "trouble", "unreached")}
        enlist = speech.insert(replicas).values({**row, "expires_at": later})
        told = {name: enlist.excluded[name] for name in ("leaving", "trouble", "unreached", "expires_at")}
        self.known = speech.prepare(select(r.boot).where(r.boot == bindparam("boot")))
        self.enlist = speech.prepare(enlist.on_conflict_do_update(index_elements=[r.boot], set_=told))
        gone = or_(r.expires_at <= now, (r.name == bindparam("name")) & (r.boot != bindparam("boot")))
        self.strike = speech.prepare(delete(replicas).where(gone))
        self.resign = speech.prepare(delete(replicas).where(r.boot == bindparam("boot")))
        alive = select(r.boot, r.name, r.leaving, r.trouble, r.unreached).where(r.expires_at > now)
        self.replicas = speech.prepare(alive.order_by(r.name, r.boot))


class Leases(Session):
    """The ``Leases`` port."""

    _leases: LeaseStatements

    def enlist(self, replica: Replica, ttl: timedelta) -> bool:
        fresh = self._row(self._leases.known, boot=replica.boot) is None
        name = clean(replica.name)
        if fresh:  # the dead are struck off here, too, so that their rows do not pile up
            self._do(self._leases.strike, boot=replica.boot, name=name)
        self._do(
            self._leases.enlist, boot=replica.boot, name=name, leaving=int(replica.leaving),
            trouble=_troubles(replica.trouble),
            unreached=orjson.dumps(sorted(map(clean, replica.unreached))).decode(),
            ttl=ttl // MICROSECOND,
        )  # fmt: skip
        if fresh:
            self._do(self._leases.free_orphans)
        return fresh

    def resign(self, boot: str) -> None:
        self._do(self._leases.resign, boot=boot)
        self._do(self._leases.give_up_all, boot=boot)
        self.touched.add(CHANGED)

    def replicas(self) -> tuple[Replica, ...]:
        rows = self._rows(self._leases.replicas)
        return tuple(
            Replica(boot, name, bool(leaving), _read(why), frozenset(orjson.loads(unreached)))
            for boot, name, leaving, why, unreached in rows
        )

    def tenures(self) -> tuple[Tenure, ...]:
        return tuple(
            Tenure(name, owner, epoch, bool(live)) for name, owner, epoch, live in self._rows(self._leases.tenures)
        )

    def renew(self, boot: str, ttl: timedelta) -> None:
        self._do(self._leases.renew, boot=boot, ttl=ttl // MICROSECOND)

    def take(self, name: str, boot: str, ttl: timedelta) -> Lease:
        row = self._row(self._leases.take, name=name, boot=boot, ttl=ttl // MICROSECOND)
        assert row is not None
        return Lease(name, row[0])

    def give_up(self, name: str, boot: str) -> None:
        self._do(self._leases.give_up, this=name, boot=boot)
        self.touched.add(CHANGED)

    def holds(self, lease: Lease) -> bool:
        row = self._row(self._leases.epoch, this=lease.name)
        return row is not None and row[0] == lease.epoch


def _troubles(told: Mapping[str, Phrase]) -> str:
    """Each as a text of its own: a build that knew nothing but texts shows what it can't read, and goes on."""
    return orjson.dumps({clean(at): clean(document(why)) for at, why in told.items()}).decode()


def _read(text: str) -> Mapping[str, Phrase]:
    """The inverse; what such a build has written is a sentence as it is."""
    told: dict[str, str] = orjson.loads(text)
    return {at: reading(why) if why.startswith("{") else verbatim(why) for at, why in told.items()}
