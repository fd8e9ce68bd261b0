"""A statement that a primary is off: approved like a failover, kept for one operation, which then goes on."""

from __future__ import annotations

from datetime import datetime

from bot.domain.audit import Deed
from bot.domain.errors import DriftError, UserError
from bot.domain.messages import StepMark
from bot.domain.operations import Operation, State, Verdict, goes_on
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.statements import Statement, attested
from bot.ports.clock import Clock
from bot.ports.flows import Flow, Run
from bot.ports.store import Store, Tx


def flow(store: Store, clock: Clock) -> Flow:
    """What was said can't be unsaid: a fence that is seen after all makes it needless."""

    async def check(plan: Plan) -> None:
        found = await store.read(lambda tx: tx.operation(plan.params["operation"]))
        if found is None or found.state is not State.PAUSED or not _at_its_fence(found, plan):
            raise DriftError("{id} no longer waits at its fence.", id=Code(plan.params["operation"]))

    async def run(running: Run) -> Phrase:
        async def record(_: object) -> Phrase:
            now = clock.now()
            return (await store.write(lambda tx: _recorded(tx, running, now))).told

        await running.step("attest", record)
        return phrase("{id} goes on past its fence.", id=Code(running.plan.params["operation"]))

    return Flow("attest", check, run)


def _at_its_fence(found: Operation, plan: Plan) -> bool:
    step = found.report(plan.params["step"])
    return step is not None and step.mark is StepMark.FAILED and str(found.pauses) == plan.pins["pause"]


def _recorded(tx: Tx, running: Run, now: datetime) -> Statement:
    """The statement and that the other one goes on, in one transaction."""
    params, mine = running.plan.params, tx.operation(running.operation)
    if mine is None:
        raise UserError("There is no operation {id}.", id=Code(running.operation))
    known: Statement | None = tx.mark(attested(params["operation"], params["region"]))
    if known is not None:
        return known
    people = dict.fromkeys(each.person for each in mine.approvals if each.verdict is Verdict.APPROVE)
    made = Statement(mine.proposer, params["why"], tuple(people), now, params["region"])
    tx.put_mark(attested(params["operation"], params["region"]), made)
    tx.put_mark(goes_on(params["operation"]), int(running.plan.pins["pause"]))
    tx.append(Deed(now, mine.proposer, "", "attest", params["operation"], "stated", params["why"]))
    return made
