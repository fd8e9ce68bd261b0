"""What stands around a move: promotions are frozen first, and at the end the freeze is lifted and the figures told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.failover_course import Course, Kind, lost
from bot.domain.freezes import EVERYTHING
from bot.domain.operations import UNDER_WAY, Operation, StepReport
from bot.domain.phrases import Code, Phrase, Quantity, phrase
from bot.ports.flows import Did, Say
from bot.ports.store import Tx
from handlers.flows.failover_tools import Leg, Tools, did, listed
from handlers.operating import freezing, moving_freeze


@dataclass(frozen=True)
class _Figures:
    """Times in seconds; None: not known."""

    rto: float
    rpo: float | None
    since: datetime
    silence: float | None


class Frame:
    """The freeze is everybody's; whose it was before is put back."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def freeze(self, leg: Leg, _: Say) -> Phrase:
        """For as long as this goes on; whoever froze everything for longer already needs no other freeze."""
        now = self._tools.clock.now()
        busy = await self._tools.store.write(lambda tx: self._frozen(tx, leg, now))
        if not busy:
            return phrase("promotions are frozen")
        return phrase("promotions are frozen; under way are still: {ids}", ids=Code(", ".join(busy)))

    async def rehearse_freeze(self, _leg: Leg, _: Say) -> Phrase:
        """Says what is frozen now."""
        now = self._tools.clock.now()
        kept = await self._tools.store.read(freezing.kept)
        if any(each.covers(EVERYTHING, now) and each.service == EVERYTHING for each in kept):
            return phrase("promotions are frozen already")
        return phrase("promotions would be frozen")

    async def lift(self, leg: Leg, _: Say) -> Phrase:
        """Its own freeze alone."""
        now, chats = self._tools.clock.now(), self._tools.chats
        lifted = await self._tools.store.write(lambda tx: moving_freeze.release(tx, chats, leg.operation, now))
        return phrase("promotions may go on") if lifted else phrase("promotions stay frozen by somebody else")

    async def report(self, leg: Leg, say: Say) -> Did:
        """The figures of it all, and the freeze lifted."""
        if leg.course.acts:
            await self.lift(leg, say)
        operation = await self._tools.store.read(lambda tx: tx.operation(leg.operation))
        now = self._tools.clock.now()
        if operation is None or not leg.course.acts:
            return did(phrase("nothing was changed"), **_of_course(leg.course), ended=now)
        found = _figures(leg, operation, now)
        known = _of_course(leg.course) | _of_steps(leg, operation)
        return did(
            listed(_told(leg.course, found)),
            **known,
            ended=now,
            rto=found.rto,
            rpo=found.rpo,
            since=found.since,
            without_writes=found.silence,
        )

    def _frozen(self, tx: Tx, leg: Leg, now: datetime) -> tuple[str, ...]:
        moving_freeze.hold(tx, self._tools.chats, leg.operation, now)
        live = tx.live_operations()
        return tuple(each.id for each in live if each.state in UNDER_WAY and each.plan.action == "promote")


def _of_course(course: Course) -> dict[str, object]:
    return {
        "kind": str(course.kind), "source": course.source, "target": course.target,
        "goals": {"rto": course.rto.total_seconds(), "rpo": course.rpo.total_seconds()},
    }  # fmt: skip


def _of_steps(leg: Leg, operation: Operation) -> dict[str, object]:
    """When each step ran, as the card knows it, and what those left that measured something."""
    people = [{"person": each.person, "at": each.at.isoformat()} for each in operation.approvals]
    verified: dict[str, Any] = leg.value("verify")
    return {
        "steps": {step.name: _times(step) for step in operation.steps if step.started_at},
        "proposed": operation.created_at, "began": operation.started_at, "approvals": people,
        "lost_since": leg.course.lost_since, "lag_at_fence": leg.value("fence").get("lag"),
        "fence_stated": leg.value("fence").get("stated", False),
        "verified": verified.get("verified", False), "unverified": verified.get("unverified", []),
    }  # fmt: skip


def _times(step: StepReport) -> dict[str, str | None]:
    ended = step.ended_at.isoformat() if step.ended_at else None
    return {"from": step.started_at.isoformat() if step.started_at else None, "to": ended, "mark": str(step.mark)}


def _figures(leg: Leg, operation: Operation, now: datetime) -> _Figures:
    """RTO counts from the loss where it is known, else from the proposal, to the verified end."""
    begun = operation.created_at if leg.course.kind is Kind.FAILOVER else operation.started_at
    since = leg.course.lost_since or begun or now
    served = leg.value("verify").get("at") or leg.value("shift").get("at")
    ended = datetime.fromisoformat(served) if served else now
    last = leg.value("promote")
    rpo = lost(last, leg.value("caught-up"), leg.value("fence"))
    return _Figures((ended - since).total_seconds(), rpo, since, _silence(leg.value("fence").get("at"), last.get("at")))


def _silence(fenced: str | None, promoted: str | None) -> float | None:
    """How long nobody could write."""
    if not (fenced and promoted):
        return None
    return (datetime.fromisoformat(promoted) - datetime.fromisoformat(fenced)).total_seconds()


def _told(course: Course, found: _Figures) -> Iterator[Phrase]:
    """Of a live drill both ways took no RTO: the report has that of the way there."""
    took = timedelta(seconds=round(found.rto, 1))
    if course.kind is Kind.LIVE:
        yield phrase("there and back took {took}", took=took)
        yield phrase("the way back: {figures}", figures=listed(_lost(course, found)))
        return
    yield phrase("RTO {took}, the goal is {goal}", took=took, goal=course.rto)
    yield from _lost(course, found)


def _lost(course: Course, found: _Figures) -> Iterator[Phrase]:
    if found.rpo is None:
        yield phrase("RPO unknown, the goal is {goal}", goal=course.rpo)
    else:
        yield phrase("RPO {lost}, the goal is {goal}", lost=Quantity(found.rpo, "s", 1), goal=course.rpo)
    if found.silence is not None:
        yield phrase("nobody could write for {time}", time=timedelta(seconds=round(found.silence, 1)))
