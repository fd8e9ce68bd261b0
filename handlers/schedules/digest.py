"""The week's digest, and the audit chain's head every day: sent once, also when pult was down at their hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.cards import Place, Wish, subject
from bot.domain.messages import Aside, Message, Tone
from bot.domain.oncall import WEEK, Rotation
from bot.domain.phrases import Code, phrase
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting.rules import Rules
from handlers.cards import history

EVERY = 60.0
DAY = timedelta(days=1)
Draw = Callable[[Tx, datetime], Message | None]


def weekly(store: Store, clock: Clock, rules: Rules, hour: Rotation | None) -> Periodic:
    """The week in alerts, to the last route's chats, at the handover of *hour* (whose people do not matter)."""

    def due(now: datetime) -> datetime | None:
        shift = hour.shift(now) if hour else None
        return shift.starts if shift else None

    def draw(tx: Tx, at: datetime) -> Message:
        return history.digest(tx, at - WEEK, at)

    return _once("digest", store, clock, rules.shared, due, draw)


def head(store: Store, clock: Clock, destinations: tuple[str, ...]) -> Periodic:
    """The head of the audit chain (ruling 21): whoever cuts off its end later is contradicted by the chat."""

    def due(now: datetime) -> datetime:
        return now.replace(hour=0, minute=0, second=0, microsecond=0)

    def draw(tx: Tx, _: datetime) -> Message | None:
        (last,) = tx.latest_entries("", 1) or (None,)
        if last is None:
            return None
        title = phrase("Audit trail: {n} entries, head {hash}", n=last.number, hash=Code(last.hash[:16]))
        check = Code(f"pult audit verify --head {last.hash}")
        return Message(title, Tone.MUTED, (Aside(phrase("{check} proves that nothing was cut off.", check=check)),))

    return _once("audit head", store, clock, destinations, due, draw)


def _once(
    name: str, store: Store, clock: Clock, destinations: tuple[str, ...],
    due: Callable[[datetime], datetime | None], draw: Draw,
) -> Periodic:  # fmt: skip
    """One message for each hour that *due* names, marked with it in the same transaction."""

    def send(tx: Tx, at: datetime, now: datetime) -> None:
        last = tx.mark(name)
        if last is not None and last >= at:
            return
        tx.put_mark(name, at)
        if last is None or now - at > DAY:  # the first start is no occasion, nor is one that is long past
            return
        if message := draw(tx, at):
            what = subject("notice", f"{name.replace(' ', '-')}:{int(at.timestamp())}")
            tx.put_message(what, message)
            for destination in destinations:
                tx.show(Wish(what, Place(destination)), now)

    async def run() -> None:
        now = clock.now()
        at = due(now)
        if at is not None and await store.read(lambda tx: tx.mark(name)) != at:
            await store.write(lambda tx: send(tx, at, now))

    return Periodic(name, EVERY, run)
