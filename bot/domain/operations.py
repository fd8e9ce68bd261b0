"""Operations: a plan on its way. States and the moves between them are interface.md section 5."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.cards import Place
from bot.domain.codec import stored
from bot.domain.errors import UserError
from bot.domain.messages import StepMark
from bot.domain.people import Person
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.policy import Rule


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
MOVES = {
    State.PROPOSED: {State.WAITING, State.APPROVED},
    State.WAITING: {State.APPROVED, State.REJECTED, State.EXPIRED, State.CANCELLED},
    State.APPROVED: {State.RUNNING, State.CANCELLED, State.FAILED},
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


@dataclass(frozen=True)
class StepReport:
    """One step as far as it came. ``said`` is what it did, or why it failed."""

    name: str
    mark: StepMark = StepMark.PENDING
    said: Phrase | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Approval:
    """One person's word on one plan. A Slack and a Telegram account of the same person are one person."""

    operation: str
    person: str
    verdict: Verdict
    plan_hash: str
    platform: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Operation:
    """``asked_in`` is where the plan card stands first; ``choices`` are what a paused operation offers."""

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

    @property
    def final(self) -> bool:
        return self.state in FINAL

    def moved(self, state: State) -> Operation:
        """This operation in *state*. ValueError for a move the state machine doesn't have."""
        if state not in MOVES.get(self.state, ()):
            raise ValueError(f"{self.id}: {self.state} can't become {state}")
        return replace(self, state=state)

    def reported(self, report: StepReport) -> Operation:
        """This operation with the report of one step replaced."""
        return replace(self, steps=tuple(report if step.name == report.name else step for step in self.steps))


def consenting(operation: Operation, rule: Rule) -> frozenset[str]:
    """Names of the distinct people whose approval counts for this very plan."""
    return frozenset(
        given.person
        for given in operation.approvals
        if given.verdict is Verdict.APPROVE
        and given.plan_hash == operation.plan.hash
        and not (rule.four_eyes and given.person == operation.proposer)
    )


def admit(operation: Operation, person: Person, rule: Rule, seen_hash: str, now: datetime) -> None:
    """Raise UserError, with the reason a person can read, unless this person's approval may count now.

    *seen_hash* is the beginning of the plan's hash that the button carried, or empty for typed words.
    """
    ident = Code(operation.id)
    if operation.state is not State.WAITING:
        raise UserError(
            "{id} is not waiting for approval: it is {state}.", id=ident, state=STATE_WORDS[operation.state]
        )
    if now >= operation.expires_at:
        raise UserError("{id} has expired. Propose it again.", id=ident)
    if seen_hash and not operation.plan.hash.startswith(seen_hash):
        raise UserError("That button belongs to another plan. Look at the card of {id} again.", id=ident)
    if rule.four_eyes and person.name == operation.proposer:
        raise UserError("You proposed {id}: somebody else has to approve it.", id=ident)
    if any(given.person == person.name and given.verdict is Verdict.APPROVE for given in operation.approvals):
        raise UserError("You have already approved {id}; one person counts once.", id=ident)


stored(StepMark, State, Verdict, Choice, StepReport, Approval, Place, Operation)
