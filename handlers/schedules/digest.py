"""The week's digest, each day's of error budgets, and the audit chain's head every day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.domain.hours import Daily, midnight
from bot.domain.messages import Aside, Block, Message, Tone
from bot.domain.oncall import WEEK, Rotation
from bot.domain.phrases import Code, phrase
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting.rules import Rules
from handlers.cards import history, spending
from handlers.schedules.once import Draw, once
from handlers.schedules.spending import Spending


def weekly(
    store: Store, clock: Clock, rules: Rules, hour: Rotation | None, spent: Spending | None = None,
    more: Callable[[], Awaitable[tuple[Block, ...]]] | None = None,
) -> Periodic:  # fmt: skip
    """The week in alerts and error budgets, and in *more*, to the last route's chats, at the handover of *hour*.

    The people of *hour* do not matter.
    """

    async def prepare(at: datetime, since: datetime) -> Draw:
        told = await spent.told("digest", since) if spent else None
        added = await more() if more else ()

        def draw(tx: Tx) -> Message:
            week = history.digest(tx, at - WEEK, at)
            week = replace(week, blocks=(*week.blocks, *added))
            if spent is None or told is None:
                return week
            spent.remember(tx, "digest", told)
            return spending.with_alerts(week, told)

        return draw

    return once("digest", store, clock, rules.shared, lambda now: _turn(hour, now), prepare)


def daily(
    store: Store, clock: Clock, rules: Rules, hour: Daily, week: Rotation | None, spent: Spending
) -> Periodic:  # fmt: skip
    """Each day's error budgets, to the same chats; at the very hour of the *week*'s digest they stand in that one."""

    async def prepare(at: datetime, since: datetime) -> Draw:
        told = await spent.told("slo digest", since)

        def draw(tx: Tx) -> Message | None:
            spent.remember(tx, "slo digest", told)
            return None if _turn(week, at) == at else spending.draw(told)

        return draw

    return once("slo digest", store, clock, rules.shared, hour.last, prepare)


def head(store: Store, clock: Clock, destinations: tuple[str, ...]) -> Periodic:
    """The head of the audit chain (ruling 21): whoever cuts off its end later is contradicted by the chat."""

    async def prepare(_at: datetime, _since: datetime) -> Draw:
        return _head

    return once("audit head", store, clock, destinations, midnight, prepare)


def _head(tx: Tx) -> Message | None:
    (last,) = tx.latest_entries("", 1) or (None,)
    if last is None:
        return None
    title = phrase("Audit trail: {n} entries, head {hash}", n=last.number, hash=Code(last.hash[:16]))
    check = Code(f"pult audit verify --head {last.hash}")
    return Message(title, Tone.MUTED, (Aside(phrase("{check} proves that nothing was cut off.", check=check)),))


def _turn(hour: Rotation | None, now: datetime) -> datetime | None:
    shift = hour.shift(now) if hour else None
    return shift.starts if shift else None
