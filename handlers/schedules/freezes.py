"""Freezes in time: what ends of itself, and plans that were made before a freeze began."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.conditions import FREEZE, told
from bot.domain.operations import Operation
from bot.domain.phrases import Phrase, phrase
from bot.domain.policy import Policy
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic, Timed
from bot.ports.store import Store, Tx
from handlers.operating import freezing, moving_freeze
from handlers.operating.freezing import Frozen
from handlers.operating.voiding import WAITING, void_each

LOOK_EVERY = 5.0


def ending(chats: Iterable[str]) -> Timed:
    """What the timer of a freeze stands for. *chats*: where one is told that a move goes on with."""
    return Timed(freezing.KIND, moving_freeze.ending(chats))


def voiding(store: Store, clock: Clock, policy: Policy, frozen: Frozen) -> Periodic:
    """A plan that waits, and does not say that its service is frozen, is void once it is."""

    def caught(tx: Tx, operation: Operation, now: datetime) -> Phrase | None:
        plan = operation.plan
        told_so = any(hold.name == FREEZE for hold in plan.holds)
        if told_so or not policy.rule(plan.action).freezes:
            return None
        freeze = frozen(tx, plan.service, now)
        return None if freeze is None else phrase("{why}.", why=told(freeze))

    def any_caught(tx: Tx, now: datetime) -> bool:
        waiting = (each for each in tx.live_operations() if each.state in WAITING)
        return any(caught(tx, each, now) is not None for each in waiting)

    async def run() -> None:
        now = clock.now()
        if await store.read(lambda tx: any_caught(tx, now)):
            await store.write(lambda tx: void_each(tx, lambda each: caught(tx, each, now), now))

    return Periodic("freezes", LOOK_EVERY, run)
