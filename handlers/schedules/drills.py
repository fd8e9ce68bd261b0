"""The monthly rehearsal, proposed by pult at its hour; moved to the next day where it would be in the way.

Of several replicas each looks; which month's is dealt with stands in the store and is written with what was done, so
that it is proposed once, also across a restart. Nobody is paged for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts import CRITICAL
from bot.domain.audit import own
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.errors import UserError
from bot.domain.hours import Monthly
from bot.domain.messages import Aside, Message, Paragraph, Tone
from bot.domain.operations import Operation
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.desk import Volunteer
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.operating.moves import LOCK, REHEARSAL, STAGED

EVERY = 60.0
DEALT, MOVED = "drill proposed", "drill moved"
"""Marks: the due moment that is dealt with; the later one that the next was moved to."""
LATE = timedelta(hours=1)
"""Who was down at the hour proposes it at the next day's: nobody expects a rehearsal at any other time of the day."""


@dataclass(frozen=True)
class Rehearsing:
    """*plan* makes the drill's plan. ``chats``: where a move to another day is told; the card stands in the first."""

    store: Store
    clock: Clock
    at: Monthly
    plan: Callable[[], Awaitable[Plan]]
    desk: Volunteer
    chats: tuple[str, ...]

    def duty(self) -> Periodic:
        """Looks once a minute."""
        return Periodic("drill", EVERY, self.round)

    async def round(self) -> None:
        """Propose it, or say why not today."""
        now = self.clock.now()
        due = self.at.last(now)
        if not await self.store.write(lambda tx: self._called(tx, due, now)):
            return
        in_the_way = await self.store.read(_in_the_way)
        if in_the_way is not None:
            await self.store.write(lambda tx: self._put_off(tx, due, in_the_way, now))
            return
        try:
            plan = await self.plan()
            await self.desk.volunteer(plan, self.chats[0], lambda tx, made: self._claim(tx, due, made))
        except UserError as error:
            why = error.phrase
            await self.store.write(lambda tx: self._put_off(tx, due, why, now))

    def _called(self, tx: Tx, due: datetime, now: datetime) -> bool:
        """Whether it is to be proposed now. The first look after an installation is no occasion."""
        dealt = tx.mark(DEALT)
        if dealt is None:
            tx.put_mark(DEALT, due)
        if dealt is None or dealt >= due:
            return False
        turn = self._turn(tx, due)
        if now >= turn + LATE:  # pult was down: quietly at the same hour of the next day
            tx.put_mark(MOVED, self.at.later(now) if now >= self._today(now) else self._today(now))
            return False
        return now >= turn

    def _claim(self, tx: Tx, due: datetime, _: Operation) -> bool:
        """Another replica may have been faster."""
        if tx.mark(DEALT) >= due:
            return False
        tx.put_mark(DEALT, due)
        return True

    def _put_off(self, tx: Tx, due: datetime, why: Phrase, now: datetime) -> None:
        """To the next day at the same hour; said once for each day."""
        if tx.mark(DEALT) >= due or self._turn(tx, due) > now:
            return
        later = self.at.later(now)
        tx.put_mark(MOVED, later)
        what = subject("notice", f"drill-moved:{int(now.timestamp())}")
        tx.put_message(what, _message(why, later))
        for chat in self.chats:
            tx.show(Wish(what, Place(chat), Priority.NORMAL), now)
        tx.append(own(now, "drill", "schedule", "moved", why.plain()))

    def _turn(self, tx: Tx, due: datetime) -> datetime:
        """When this month's is to be proposed, as it was moved last."""
        moved = tx.mark(MOVED)
        return moved if moved is not None and moved > due else due

    def _today(self, now: datetime) -> datetime:
        return self.at.later(now - timedelta(days=1))


def _in_the_way(tx: Tx) -> Phrase | None:
    """What rehearsing now would make worse: an incident, or a move that is under way."""
    for group in tx.open_groups():
        if group.severity == CRITICAL:
            return phrase("{id} {name} is critical and open.", id=Code(group.id), name=group.name)
    for each in tx.live_operations():
        if each.plan.lock in {LOCK, REHEARSAL, STAGED}:
            return phrase("{id} is under way: {title}.", id=Code(each.id), title=each.plan.title)
    return None


def _message(why: Phrase, later: datetime) -> Message:
    title = phrase("This month's drill is moved to {at}", at=later)
    note = Aside(phrase("{command} proposes one at any time.", command=Code("drill")))
    return Message(title, Tone.INFO, (Paragraph(why), note))
