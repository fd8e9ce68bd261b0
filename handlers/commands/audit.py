"""``audit [filter]``: who did what, when, with what result. ``audit posture`` looks at workloads instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.domain.audit import Entry
from bot.domain.messages import Aside, Table
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.ports.commands import Call, Command, Proposal, Reply
from bot.ports.store import Store
from handlers.commands.replies import said

SHOWN = 15
POSTURE = frozenset(("posture", "осанка", "гигиена"))
Posture: TypeAlias = Callable[[Call], Awaitable[Reply | Proposal]]


def duty(store: Store, posture: Posture) -> Command:
    """The latest entries that hold every word of the filter."""

    async def run(call: Call) -> Reply | Proposal:
        if call.args and call.args[0].casefold() in POSTURE:
            return await posture(call)
        found = await store.read(lambda tx: tx.latest_entries(" ".join(call.args), SHOWN))
        if not found:
            return said(phrase("Nothing in the audit trail matches"))
        header = (phrase("When"), phrase("Who"), phrase("What"), phrase("On"), phrase("Result"))
        head = Aside(phrase("Entry {number}, hash {hash}", number=found[0].number, hash=Code(found[0].hash[:16])))
        return said(phrase("Audit trail, latest first"), Table(header, tuple(_row(entry) for entry in found)), head)

    return Command(
        ("audit", "журнал"),
        "audit [filter] | audit posture [service] [--pull]",
        phrase("who did what, when, with what result; or what workloads lack"),
        run,
        examples=("audit", "audit promote", "audit posture"),
    )


def _row(entry: Entry) -> tuple[Phrase, ...]:
    deed = entry.deed
    who = f"{deed.person} ({deed.platform})" if deed.platform else deed.person
    return (
        phrase("{at}", at=deed.at),
        verbatim(who),
        verbatim(deed.action),
        verbatim(deed.target),
        verbatim(deed.result),
    )
