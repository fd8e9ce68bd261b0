"""``failover attest <op> <why>``: a person states that the primary is off, for the one operation that waits for it."""

from __future__ import annotations

from bot.domain.errors import PultError, UserError
from bot.domain.failover_course import Kind, read
from bot.domain.failover_steps import BACK, bare
from bot.domain.ids import OPERATION, full
from bot.domain.messages import StepMark
from bot.domain.operations import Operation, State, present
from bot.domain.phrases import Code, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.ports.commands import Call, Proposal
from bot.ports.estate import Estate
from bot.ports.store import Store
from handlers.commands.replies import misuse

USAGE = "failover attest <op> <why>"
WHY = 300
"""Characters of a reason that are kept."""


async def attest(call: Call, store: Store, estates: tuple[Estate, Estate | None]) -> Proposal:
    """A plan of its own, under the failover's policy: one person states it, others approve, all of it is audited.

    UserError: that operation does not wait at its fence, nobody said why, or pult itself sees the primary at work.
    """
    if len(call.args) < 3:
        raise misuse(USAGE)
    ident, why = full(OPERATION, call.args[1]), " ".join(call.args[2:])[:WHY]
    found = present(await store.read(lambda tx: tx.operation(ident)), ident)
    step = _fence(found)
    if found.state is not State.PAUSED or not step:
        raise UserError("{id} does not wait at its fence.", id=Code(ident))
    course = read(found.plan.params, "back" if step.startswith(BACK) else "course")
    estate = estates[1] if course.kind is Kind.LIVE else estates[0]
    if estate is not None and await _works(estate, course.source):
        raise UserError(
            "pult itself sees the primary in {region} take writes: it is not off. Fence it first.",
            region=course.source,
        )  # fmt: skip
    return Proposal(_plan(found, step, course.source, why))


def _fence(found: Operation) -> str:
    """The name of the fence that failed, or an empty string."""
    failed = (each.name for each in found.steps if each.mark is StepMark.FAILED and bare(each.name) == "fence")
    return next(failed, "")


async def _works(estate: Estate, region: str) -> bool:
    try:
        return await estate.database.beats(region)
    except (PultError, TimeoutError):
        return False


def _plan(found: Operation, step: str, region: str, why: str) -> Plan:
    ident = Code(found.id)
    return Plan(
        action="attest",
        title=phrase("State that the primary in {region} is off, for {id}", region=region, id=ident),
        service="",
        environment="",
        steps=(PlannedStep("attest", phrase("Record it; {id} then goes on past its fence", id=ident)),),
        params={"operation": found.id, "step": step, "region": region, "why": why},
        pins={"pause": str(found.pauses)},
        blast=(phrase("If it is not off, both databases take writes and the data is split in two."),),
        evidence=((phrase("Why"), phrase("{why}", why=why)), (phrase("For"), found.plan.title)),
        lock=f"attest {found.id}",
    )
