"""The watch over the region that production runs in: when it is lost people are paged, and a failover is proposed.

Once for one loss, which ends when a majority sees the region up again. It is never proposed to go back. The watch
stands in the store, so that a restart neither forgets it nor begins it anew; of several replicas each may look, and
what one has written another goes on with.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.alerts import CRITICAL, WARNING
from bot.domain.approvals import contends
from bot.domain.codec import encode
from bot.domain.detection import (
    Look,
    Report,
    Stage,
    Stands,
    Vigil,
    back,
    cools,
    flapping,
    followed,
    hold,
    nearby,
    stage,
    told,
)
from bot.domain.errors import PultError, UserError
from bot.domain.failover import Pair, Sight, lost
from bot.domain.operations import STATE_WORDS, Operation, State
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.desk import Volunteer
from bot.ports.regions import Database
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from bot.ports.witnesses import Witnesses
from handlers.alerting import own
from handlers.alerting.rules import Rules, shifts_now
from handlers.cards.region import TOLD
from handlers.operating import moves, voiding

EVERY = 10.0
"""Seconds from look to look: a small part of any hold, and a witness may take five of them."""
AGAIN = timedelta(seconds=60)
"""So long nothing is written while all is well and nothing changes."""
DEADLINE = 4.0
"""Seconds for the database's API, which may burn with the region."""
PRESSING = frozenset({Stage.CALLED, Stage.COOLING})
BRAKE = "fence"
"""The step before which a failover that nobody approved can be stopped."""


@dataclass
class Sentry:
    """*plan* makes the failover's plan. UserError: it makes no sense as things are. *chat*: where its card stands."""

    store: Store
    rules: Rules
    pair: Pair
    witnesses: Witnesses
    database: Database
    plan: Callable[[], Awaitable[Plan]]
    desk: Volunteer
    chat: str
    _last: Vigil | None = field(default=None, init=False)
    _said: Report | None = field(default=None, init=False)
    _hindered: Phrase | None = field(default=None, init=False)

    def duty(self) -> Periodic:
        """Looks at once at the start: the hold goes on from what the store says."""
        return Periodic("regions", EVERY, self.round)

    async def round(self) -> None:
        """One look, and what follows from it."""
        look = await self.witnesses.look()
        if self._last is None:
            self._last = await self.store.read(lambda tx: _kept(tx, self.pair))
        if self._calm(look):
            return
        pressing = lost(look.sights.values()) or bool(self._last and self._last.called)
        stands = await self._stands() if pressing else None
        vigil, how = await self.store.write(lambda tx: self._write(tx, look, stands))
        self._last = vigil
        if how is Stage.CALLED and not vigil.operation:
            await self._propose(vigil, stands)
            await self.store.write(lambda tx: self._tell(tx, _kept(tx, self.pair) or vigil, how, stands))

    def _calm(self, look: Look) -> bool:
        """Whether it is as it was, and well: then nothing is written for a while."""
        last, spare = self._last, min(AGAIN, self.pair.fresh / 2)
        if last is None or last.since or last.called or look.at - last.at >= spare:
            return False
        now = followed(last, look, self.pair)
        return now.since is None and told(now.voices) == told(last.voices)

    async def _stands(self) -> Stands | None:
        """None: its API does not answer."""
        try:
            async with asyncio.timeout(DEADLINE):
                now = await self.database.replication(self.pair.move.way)
        except (PultError, TimeoutError):
            return None
        return Stands(now.primary, now.lag, now.fenced, now.promoted)

    def _write(self, tx: Tx, look: Look, stands: Stands | None) -> tuple[Vigil, Stage]:
        before = _kept(tx, self.pair)
        if before is not None and look.at <= before.at:  # another replica looked later
            return before, Stage.UNSURE
        vigil = followed(before, look, self.pair)
        how = self._stage(tx, vigil, stands)
        if how in PRESSING and vigil.called is None:
            vigil = replace(vigil, called=look.at)
        tx.put_mark(moves.vigil_mark(self.pair.source), vigil)
        if back(vigil):
            self._over(tx, before, look.at)
        elif vigil.called:
            self._tell(tx, vigil, how, stands)
        return vigil, how

    def _stage(self, tx: Tx, vigil: Vigil, stands: Stands | None) -> Stage:
        """Somebody may have promoted the other server without pult: nothing is left to propose then either."""
        how = stage(vigil, self.pair, moves.past(tx))
        return Stage.MOVED if how in PRESSING and stands is not None and stands.promoted else how

    def _over(self, tx: Tx, before: Vigil | None, now: datetime) -> None:
        """The page is resolved, and what pult proposed is no longer the question."""
        own.over(tx, self.rules, self._key, now)
        self._hindered = self._said = None
        if before is not None and before.operation:
            why = phrase("A majority of the witnesses sees {region} up again.", region=self.pair.source)
            voiding.void(tx, before.operation, why, now)

    def _tell(self, tx: Tx, vigil: Vigil, how: Stage, stands: Stands | None) -> None:
        """One card, edited as it changes. Once the other region serves it is no emergency any more."""
        labels = {
            "alertname": own.REGION, "severity": WARNING if how is Stage.MOVED else CRITICAL,
            "service": self.pair.source, "region": self.pair.source,
        }  # fmt: skip
        report = self._report(tx, vigil, how, stands)
        if self._said is not None and report.repeats(self._said):
            report = self._said
        self._said = report
        notes = {TOLD: json.dumps(encode(report), sort_keys=True, ensure_ascii=False)}
        own.tells(tx, self.rules, self._key, labels, vigil.at, notes)

    def _report(self, tx: Tx, vigil: Vigil, how: Stage, stands: Stands | None) -> Report:
        operation, why = self._fate(tx, vigil.operation)
        people = ", ".join(dict.fromkeys(shift.person for shift in shifts_now(tx, self.rules, vigil.at)))
        return Report(
            self.pair.source, self.pair.target, how, vigil.voices, vigil.since, hold(vigil, self.pair), self.pair.rpo,
            len(vigil.turns) if flapping(vigil) else 0, nearby(vigil, self.pair), stands, people, operation,
            cools(moves.past(tx), self.pair), why,
        )  # fmt: skip

    def _fate(self, tx: Tx, ident: str) -> tuple[str, Phrase | None]:
        """What pult proposed, unless it ended without a move; and why there is none."""
        operation = tx.operation(ident) if ident else None
        if operation is None:
            return "", self._hindered
        if operation.final and operation.state is not State.SUCCEEDED:
            return "", phrase("its proposal {id} is {state}, and it proposes once for one loss.",
                              id=Code(ident), state=STATE_WORDS[operation.state])  # fmt: skip
        return ident, None

    async def _propose(self, vigil: Vigil, stands: Stands | None) -> None:
        """A person who was faster, or a world in which it makes no sense, is told on the card, and tried again."""
        try:
            plan = await self.plan()
            alone = self.pair.automatic and self._sure(vigil, stands)
            evidence = (*plan.evidence, *self._why(vigil, alone=alone))
            plan = replace(plan, evidence=evidence, brake=BRAKE if alone else "")
            await self.desk.volunteer(plan, self.chat, self._claim, alone=alone)
        except UserError as error:
            self._hindered = error.phrase
        else:
            self._hindered = None

    def _sure(self, vigil: Vigil, stands: Stands | None) -> bool:
        """Whether nobody need be asked: whoever sees it lost stands elsewhere too, it does not flap, its fence can be
        asked for. What is known of the lag holds the plan by itself.
        """
        able = stands is not None and stands.lag is not None
        return able and not nearby(vigil, self.pair) and not flapping(vigil)

    def _why(self, vigil: Vigil, *, alone: bool) -> Iterable[tuple[Phrase, Phrase]]:
        lost = vigil.sights.count(Sight.LOST)
        said = phrase("{count} of {all} witnesses see {region} lost since {at}", count=lost, all=len(vigil.voices),
                      region=self.pair.source, at=vigil.since or vigil.at)  # fmt: skip
        yield phrase("Called for"), said
        if alone:
            yield phrase("Policy"), phrase("it goes on without approvals: {key}", key=Code("failover.automatic"))

    def _claim(self, tx: Tx, operation: Operation) -> bool:
        """Once for one loss, and not beside a move that somebody else proposed."""
        vigil = _kept(tx, self.pair)
        if vigil is None or vigil.operation or vigil.since is None:
            return False
        if any(contends(operation.plan, other.plan) for other in tx.live_operations()):
            return False
        tx.put_mark(moves.vigil_mark(self.pair.source), replace(vigil, operation=operation.id))
        return True

    @property
    def _key(self) -> str:
        return f"region {self.pair.source}"


def _kept(tx: Tx, pair: Pair) -> Vigil | None:
    found: Vigil | None = tx.mark(moves.vigil_mark(pair.source))
    return found
