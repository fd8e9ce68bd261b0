"""Operations: a plan on its way. States and the moves between them are interface.md section 5."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.cards import Place
from bot.domain.codec import stored
from bot.domain.errors import UserError
from bot.domain.messages import StepMark
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan


class State(StrEnum):
    """Where an operation stands."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNDONE = "undone"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


STATE_WORDS = {
    State.PROPOSED: phrase("proposed"),
    State.WAITING: phrase("waiting for approval"),
    State.APPROVED: phrase("approved"),
    State.RUNNING: phrase("running"),
    State.PAUSED: phrase("paused"),
    State.SUCCEEDED: phrase("succeeded"),
    State.FAILED: phrase("failed"),
    State.UNDONE: phrase("undone"),
    State.REJECTED: phrase("rejected"),
    State.EXPIRED: phrase("expired"),
    State.CANCELLED: phrase("cancelled"),
}
FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.UNDONE, State.REJECTED, State.EXPIRED, State.CANCELLED})
UNDER_WAY = frozenset({State.RUNNING, State.PAUSED})
MOVES = {
    State.PROPOSED: {State.WAITING, State.APPROVED},
    State.WAITING: {State.APPROVED, State.REJECTED, State.EXPIRED, State.CANCELLED},
    State.APPROVED: {State.RUNNING, State.CANCELLED, State.EXPIRED, State.FAILED},
    State.RUNNING: {State.PAUSED, State.SUCCEEDED, State.FAILED, State.UNDONE, State.CANCELLED},
    State.PAUSED: {State.RUNNING, State.FAILED, State.UNDONE, State.CANCELLED},
}


class Verdict(StrEnum):
    """What a person pressed."""

    APPROVE = "approve"
    REJECT = "reject"


class Choice(StrEnum):
    """What a paused operation can be told."""

    RETRY = "retry"
    SKIP = "skip"
    UNDO = "undo"
    ABORT = "abort"


def goes_on(ident: str) -> str:
    """Name of the mark by which one operation lets the paused *ident* go on: the number of the pause that is over.

    What failed there is then tried again.
    """
    return f"goes-on:{ident}"


def stops(ident: str) -> str:
    """Name of the mark that *ident* is to stop before its plan's brake: who said so."""
    return f"stops:{ident}"


def present(found: Operation | None, ident: str) -> Operation:
    """*found*. UserError: there is none called *ident*."""
    if found is None:
        raise UserError("There is no operation {id}. {ops} lists them.", id=Code(ident[:40]), ops=Code("ops"))
    return found


@dataclass(frozen=True)
class StepReport:
    """One step as far as it came. ``said`` is what it did, or why it failed; ``value`` what later steps need of it.

    ``title`` is that of a step which the plan does not have: one of the way back. ``bad``: it failed because the new
    version is bad.
    """

    name: str
    mark: StepMark = StepMark.PENDING
    said: Phrase | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    title: Phrase | None = None
    value: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Stall:
    """One pause of an operation: the step that failed, why, since when, and until when (None: it still waits).

    ``began``: when the attempt that failed did.
    """

    step: str
    why: Phrase | None
    since: datetime
    until: datetime | None = None
    began: datetime | None = None


@dataclass(frozen=True)
class Approval:
    """One person's word on one plan. A Slack and a Telegram account of the same person are one person.

    ``overrides``: names of holds that they set aside, for ``reason``. ``glass``: they go on alone. ``counts``: their
    roles may approve; who may only override has not approved.
    """

    operation: str
    person: str
    verdict: Verdict
    plan_hash: str
    platform: str
    at: datetime
    reason: str = ""
    overrides: tuple[str, ...] = ()
    glass: bool = False
    counts: bool = True


@dataclass(frozen=True)
class Operation:
    """``asked_in`` is where the plan card stands first; ``choices`` are what a paused operation offers.

    ``after``: the operation that was under way for the same target when this was proposed, and has to end first.
    ``pauses``: how often it has paused; a choice is for one of them, and no other. ``stalls``: what each was about.
    """

    id: str
    plan: Plan
    proposer: str
    state: State
    created_at: datetime
    expires_at: datetime
    asked_in: Place
    approvals: tuple[Approval, ...] = ()
    steps: tuple[StepReport, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: Phrase | None = None
    choices: tuple[Choice, ...] = ()
    after: str = ""
    pauses: int = 0
    stalls: tuple[Stall, ...] = ()

    @property
    def final(self) -> bool:
        return self.state in FINAL

    @property
    def stoppable(self) -> bool:
        """Whether it runs and has not come to its brake yet."""
        brake = self.report(self.plan.brake) if self.plan.brake else None
        return self.state is State.RUNNING and brake is not None and brake.mark is StepMark.PENDING

    def moved(self, state: State) -> Operation:
        """This operation in *state*. ValueError for a move the state machine doesn't have."""
        if state not in MOVES.get(self.state, ()):
            raise ValueError(f"{self.id}: {self.state} can't become {state}")
        return replace(self, state=state)

    def reported(self, report: StepReport) -> Operation:
        """This operation with the report of one step replaced, or added where it is the first of that step."""
        if self.report(report.name) is None:
            return replace(self, steps=(*self.steps, report))
        return replace(self, steps=tuple(report if step.name == report.name else step for step in self.steps))

    def stalled(self, now: datetime) -> Operation:
        """This operation with one more pause, at the step that failed last."""
        failed = next((step for step in reversed(self.steps) if step.mark is StepMark.FAILED), None)
        stall = Stall("", None, now)
        if failed is not None:
            stall = Stall(failed.name, failed.said, now, began=failed.started_at)
        return replace(self, pauses=self.pauses + 1, stalls=(*self.stalls, stall))

    def released(self, now: datetime) -> Operation:
        """This operation with its last pause over."""
        if not self.stalls or self.stalls[-1].until is not None:
            return self
        return replace(self, stalls=(*self.stalls[:-1], replace(self.stalls[-1], until=now)))

    def report(self, name: str) -> StepReport | None:
        """How far the step *name* is."""
        return next((step for step in self.steps if step.name == name), None)


stored(StepMark, State, Verdict, Choice, StepReport, Stall, Approval, Place, Operation)
