"""What moves leave in the store: which region serves since, and how the last one and the last drill went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.domain.detection import Last, Past, Vigil
from bot.domain.failover_course import Kind, read
from bot.domain.operations import Operation, State
from bot.ports.store import Store, Tx

LAST, DRILL, SERVES = "failover:last", "failover:drill", "failover:serves"
LOCK, REHEARSAL, STAGED = "failover", "drill", "failover of staging"
"""Locks of plans. What only looks, or moves staging, never bars the way of what saves production, and is never waited
for by it; pult proposes beside it, too.
"""


def vigil_mark(region: str) -> str:
    """Name of the mark that keeps the watch over *region*."""
    return f"region:{region}"


def past(tx: Tx) -> Past:
    """What is left of all moves so far."""
    live = next((each.id for each in tx.live_operations() if each.plan.lock == LOCK), "")
    return Past(tx.mark(LAST), tx.mark(DRILL), tx.mark(SERVES) or "", live)


def turned(tx: Tx, operation: Operation, _: datetime) -> None:
    """One turn of an operation, in the transaction that writes it. Only what has begun and ended counts."""
    plan, began, ended = operation.plan, operation.started_at, operation.ended_at
    if plan.action not in {"failover", "drill"} or not operation.final or began is None or ended is None:
        return
    course = read(plan.params)
    last = Last(operation.id, str(course.kind), str(operation.state), began, ended)
    tx.put_mark(DRILL if plan.action == "drill" else LAST, last)
    if course.kind in {Kind.FAILOVER, Kind.FAILBACK} and operation.state is State.SUCCEEDED:
        tx.put_mark(SERVES, course.target)


def lost_since(store: Store) -> Callable[[str], Awaitable[datetime | None]]:
    """When a majority began to see a region lost, by its name; None: none does."""

    async def since(region: str) -> datetime | None:
        vigil: Vigil | None = await store.read(lambda tx: tx.mark(vigil_mark(region)))
        return vigil.since if vigil else None

    return since
