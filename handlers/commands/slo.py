"""``slo [service] [window]``: SLI, objective, budget left, burn, time to exhaustion; unknown is said, never hidden."""

from __future__ import annotations

from bot.domain.errors import UserError
from bot.domain.invariants import Invariant
from bot.domain.phrases import Code, phrase
from bot.domain.services import Catalogue
from bot.domain.slo import Slo
from bot.ports.budgets import Budgets
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store
from handlers.cards.eaten import Teller
from handlers.commands.slo_asked import Asked, asked
from handlers.commands.slo_list import listed
from handlers.commands.slo_one import Sources, invariant, one
from handlers.commands.slo_regions import split


def duty(store: Store, budgets: Budgets | None, slos: tuple[Slo, ...], services: Catalogue) -> Command:
    """The configured objectives, asked of Prometheus."""

    async def run(call: Call) -> Reply:
        if budgets is None:
            raise UserError(
                "No Prometheus is configured, so nobody knows. Add the section {section}.", section=Code("[prometheus]")
            )
        want = asked(call.args, slos, services)
        if not want.slos:
            raise UserError("No SLO is configured for that. Add a table {section}.", section=Code("[[slos]]"))
        return await _answer(Sources(Teller(store, budgets, services), call.now), want)

    example = slos[0].service if slos else "api"
    return Command(
        ("slo", "цели"), "slo [service] [window]",
        phrase("how a service does against its promise"), run,
        examples=(f"slo {example}", f"slo {example} 7d", f"slo {example} --how", f"slo {example} --by region"),
    )  # fmt: skip


async def _answer(sources: Sources, want: Asked) -> Reply:
    if want.label:
        return await split(sources.budgets, want.slos, want.label)
    if len(want.slos) > 1:
        return await listed(sources, want)
    (found,) = await sources.budgets.standings(want.slos)
    if isinstance(found, Invariant):
        return await invariant(sources, found, how=want.how)
    return await one(sources, found, want)
