"""``failover report``, ``drill report``, ``drill history``: what moves and drills came to, one by one and in a year."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.drillreport import ACTIONS, Report, reportable
from bot.domain.errors import UserError
from bot.domain.ids import OPERATION, full
from bot.domain.operations import Operation, present
from bot.domain.phrases import Code, Words
from bot.ports.commands import Call, Reply
from bot.ports.store import Store, Tx
from handlers.alerting import contacts
from handlers.cards import drill, drills
from handlers.commands.replies import argument, done
from handlers.operating import debrief

REPORT = frozenset({"report", "отчёт", "отчет"})
HISTORY = frozenset({"history", "история"})
YEAR = timedelta(days=365)


async def report(call: Call, store: Store, words: Words, action: str) -> Reply:
    """Of the operation that is named, else of the latest of that *action*. UserError: there is none."""
    name = full(OPERATION, call.args[1]) if len(call.args) > 1 else ""

    def found(tx: Tx) -> Report:
        operation = _named(tx, name) if name else _latest(tx, action)
        return debrief.of(tx, operation, call.now)

    return Reply(drill.card(await store.read(found), words), public=True)


async def history(call: Call, store: Store) -> Reply:
    """Of the last year, the latest first."""
    reports = await store.read(lambda tx: year(tx, call.now))
    return Reply(drills.draw(reports, call.now), public=True)


async def here(call: Call, store: Store) -> Reply:
    """Somebody whom a drill asked is there."""
    ident = full(OPERATION, argument(call, 1, "drill here <op>"))
    person, platform = call.who.name, call.request.platform
    return done(await store.write(lambda tx: contacts.press(tx, ident, person, platform, call.now)))


def year(tx: Tx, now: datetime) -> tuple[Report, ...]:
    """What each move and drill of the last year that has ended came to, the latest first."""
    return tuple(debrief.of(tx, each, now) for each in debrief.past(tx) if each.created_at >= now - YEAR)


def _named(tx: Tx, name: str) -> Operation:
    operation = present(tx.operation(name), name)
    if operation.plan.action not in ACTIONS:
        raise UserError("{id} is neither a failover nor a drill.", id=Code(name))
    if not reportable(operation):
        raise UserError("{id} has not begun, so there is nothing to report.", id=Code(name))
    return operation


def _latest(tx: Tx, action: str) -> Operation:
    """The one under way, else the last that ended."""
    live = (each for each in reversed(tx.live_operations()) if reportable(each))
    found = next((each for each in (*live, *debrief.past(tx)) if each.plan.action == action), None)
    if found is None:
        if action == "drill":
            raise UserError("There was no drill yet: {drill} is one.", drill=Code("drill"))
        raise UserError("There was no failover yet: {drill} rehearses one.", drill=Code("drill"))
    return found
