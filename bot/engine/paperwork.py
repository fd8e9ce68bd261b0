"""What the desk looks up and writes down about operations, inside its transactions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.approvals import contends, gives_way
from bot.domain.audit import Deed
from bot.domain.cards import Place
from bot.domain.errors import UserError
from bot.domain.ids import OPERATION, free
from bot.domain.operations import UNDER_WAY, Approval, Operation, State, StepReport
from bot.domain.phrases import Code
from bot.domain.plans import Plan
from bot.domain.redact import redact
from bot.ports.commands import Call
from bot.ports.store import Tx


def drafted(tx: Tx, plan: Plan, proposer: str, place: Place, now: datetime, until: datetime) -> Operation:
    """*plan* as an operation, not saved yet, that expires at *until*. UserError: another one waits before it."""
    ident = free(OPERATION, f"{plan.hash} {now.isoformat()}", tx.operation)
    return Operation(
        ident, plan, proposer, State.PROPOSED, now, until, place,
        steps=tuple(StepReport(step.name) for step in plan.steps), after=_ahead(tx, plan),
    )  # fmt: skip


def _ahead(tx: Tx, plan: Plan) -> str:
    """The operation under way that *plan* has to wait for, or empty. UserError: another one waits for its turn."""
    under_way = ""
    for other in tx.live_operations():
        if not contends(plan, other.plan):
            continue
        if other.state in UNDER_WAY:
            under_way = other.id
        elif not gives_way(other.plan, plan):
            raise UserError(
                "{id} still waits, and comes first: {title}. Wait for it, or end it: {cancel}",
                id=Code(other.id), title=other.plan.title, cancel=Code(f"cancel {other.id}"),
            )  # fmt: skip
    return under_way


def idle(operation: Operation, live: Iterable[Operation]) -> bool:
    """Whether it still waits: for its approvals, or with them for another operation to end."""
    if operation.state is State.APPROVED:
        return any(other.state in UNDER_WAY and contends(operation.plan, other.plan) for other in live)
    return operation.state is State.WAITING


def deeds(call: Call, operation: Operation, given: Approval) -> Iterable[Deed]:
    """One for the word itself, and one by name for everything that it sets aside."""
    why = redact(given.reason)[:200]
    for name in given.overrides:
        yield call.deed("override", operation.id, name, why)
    if given.glass:
        yield call.deed("break-glass", operation.id, str(operation.state), why)
    yield call.deed(given.verdict, operation.id, str(operation.state), operation.plan.hash)
