"""``failover`` and ``drill``: the way to the other region and back, shown, planned, stated, rehearsed."""

from __future__ import annotations

from bot.domain.errors import UserError
from bot.domain.failover import Way
from bot.domain.phrases import Code, Words, phrase
from bot.ports.commands import Call, Command, Proposal, Reply
from bot.ports.store import Store
from handlers.commands.failover_attest import attest
from handlers.commands.failover_plan import Planner
from handlers.commands.failover_reports import HISTORY, REPORT, here, history, report
from handlers.commands.failover_status import status
from handlers.commands.replies import misuse

STATUS = frozenset({"status", "статус"})
ATTEST = frozenset({"attest", "подтверждаю"})
LIVE = frozenset({"--live", "--вживую"})
STAGING = "staging"
HERE = frozenset({"here", "здесь"})
SMALL = frozenset({"from", "to", "с", "из", "в", "на"})
"""Words between the regions."""
USAGE = (
    "failover status | failover <from> to <to> | failover attest <op> <why> | failover report [op] | failover history"
)
DRILL = "drill [--live staging] | drill report [op] | drill history"


def failover(planner: Planner | None, store: Store, words: Words) -> Command:
    """Status and reports are reads for everyone; the other forms are plans. *words*: of files."""

    async def run(call: Call) -> Reply | Proposal:
        ready, first = _configured(planner), call.args[0].lower() if call.args else "status"
        if first in STATUS:
            return await status(ready.pair, ready.estate, ready.witnesses, store)
        if first in REPORT:
            return await report(call, store, words, "failover")
        if first in HISTORY:
            return await history(call, store)
        if first in ATTEST:
            return await attest(call, store, (ready.estate, ready.staged))
        return Proposal(await ready.move(_way(call, ready)))

    way = planner.pair.move.way if planner else None
    examples = (_written(way), _written(way.back), "failover attest op-41c9 I pulled its plug") if way else ()
    return Command(
        ("failover", "переключить"), USAGE,
        phrase("how the regions stand; move production to the other one, and back"), run,
        "failover", examples=("failover status", *examples, "failover report"),
        reads=tuple(sorted(STATUS | REPORT | HISTORY)),
    )  # fmt: skip


def drill(planner: Planner | None, store: Store, words: Words) -> Command:
    """The failover's own plan, rehearsed: every step looks, none changes anything. Or for real, with staging.

    Whoever a drill asks answers with it, too, whatever their roles are: it changes nothing but the report.
    """

    async def run(call: Call) -> Reply | Proposal:
        ready, first = _configured(planner), call.args[0].lower() if call.args else ""
        if first in REPORT:
            return await report(call, store, words, "drill")
        if first in HISTORY:
            return await history(call, store)
        if first in HERE:
            return await here(call, store)
        if not call.args:
            return Proposal(await ready.drill())
        if [word.lower() for word in call.args[1:]] == [STAGING] and call.args[0].lower() in LIVE:
            return Proposal(await ready.live())
        if call.args[0].lower() in LIVE:
            raise UserError("Only staging moves in a live drill: {command}", command=Code("drill --live staging"))
        raise misuse(DRILL)

    return Command(
        ("drill", "учения"), DRILL,
        phrase("rehearse the failover without changing anything, or for real with staging"), run, "drill",
        examples=("drill", "drill --live staging", "drill report", "drill history"),
        reads=tuple(sorted(REPORT | HISTORY | HERE)), bare=True,
    )  # fmt: skip


def _configured(planner: Planner | None) -> Planner:
    if planner is None:
        raise UserError("No failover is configured. Add the section {section}.", section=Code("[failover]"))
    return planner


def _way(call: Call, planner: Planner) -> Way:
    """The configured way, or the same the other way round."""
    said, way = [word.lower() for word in call.args], planner.pair.move.way
    words = [word for word in said if word not in SMALL]
    for known in (way, way.back):
        if words == [known.source.lower(), known.target.lower()]:
            return known
    raise UserError(
        "Write it like this: {usage}, or for the way back: {back}", usage=Code(_written(way)),
        back=Code(_written(way.back)),
    )  # fmt: skip


def _written(way: Way) -> str:
    return f"failover {way.source} to {way.target}"
