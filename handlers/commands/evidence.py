"""Evidence for and against a promotion: gathered all at once, each source in its own time, none of them needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.domain.conditions import Demand, Facts, demanded
from bot.domain.plans import Hold
from bot.domain.proofs import Proof, holds
from handlers.commands import evidence_forge, evidence_known
from handlers.commands.evidence_case import Case, Sources


@dataclass(frozen=True)
class Evidence:
    """The rows of the card, and what follows from them."""

    proofs: tuple[Proof, ...]
    holds: tuple[Hold, ...]
    demand: Demand


async def gather(sources: Sources, case: Case) -> Evidence:
    """What does not answer in time is a row that says so."""
    known = await sources.store.read(lambda tx: evidence_known.known(tx, sources, case))
    async with asyncio.TaskGroup() as tasks:
        forge = tasks.create_task(evidence_forge.told(sources, case))
        soak = tasks.create_task(evidence_known.soak(sources, case, known))
        budgets = tasks.create_task(evidence_known.budgets(sources, case))
    rows, migrates = forge.result()
    slos, left = budgets.result()
    proofs = (
        *_of(rows, "ci"), *evidence_known.told(case), *soak.result(), *slos, evidence_known.incidents(known.burning),
        *_of(rows, "migrations", "changes"),
    )  # fmt: skip
    now = case.now.astimezone(ZoneInfo(sources.policy.zone))
    facts = Facts(now, case.environment.name, left, migrates, known.freeze)
    demand = demanded(case.rule, facts)
    wanted = {*case.rule.require, *(("soak",) if case.rule.soak and case.before else ())}
    return Evidence(proofs, (*holds(proofs, wanted), *demand.holds), demand)


def _of(rows: tuple[Proof, ...], *names: str) -> tuple[Proof, ...]:
    return tuple(row for name in names for row in rows if row.name == name)
