"""Pages that do not arrive are shown elsewhere, and it is said why (promise 15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from bot.domain.cards import Card, Place, Priority, Wish, subject
from bot.domain.messages import Message, Paragraph, Tone
from bot.domain.phrases import Code, counted, phrase
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting.news import LIVE
from handlers.alerting.rules import Rules, chats_now

LOOK_EVERY = 5.0
MARK = "mute"
Trouble = Callable[[], Mapping[str, str]]


def duty(store: Store, clock: Clock, rules: Rules, approvals: tuple[str, ...], trouble: Trouble) -> Periodic:
    """Look for late pages; *trouble* names destinations that can't be delivered to, with the reason."""
    spare = _pages(rules, approvals)

    async def run() -> None:
        now = clock.now()
        late, mute = await store.read(lambda tx: (tx.late_pages(now - rules.patience), tx.mark(MARK)))
        if late or mute:
            reasons = trouble()
            await store.write(lambda tx: _look(tx, rules, spare, reasons, now))

    return Periodic("reroute", LOOK_EVERY, run)


def _pages(rules: Rules, approvals: Iterable[str]) -> tuple[str, ...]:
    """Chats that may take others' pages: those of paging routes first."""
    paging = [chat for route in rules.routes if route.page for chat in route.to]
    every = rules.chats([*paging, *rules.routes[-1].to, *approvals])
    return tuple(chat for chat in every if Place(chat).platform not in LIVE)


def _look(tx: Tx, rules: Rules, spare: tuple[str, ...], reasons: Mapping[str, str], now: datetime) -> None:
    mute: dict[str, datetime] = dict(tx.mark(MARK) or {})
    late: dict[str, list[Card]] = {}
    for card in tx.late_pages(now - rules.patience):
        late.setdefault(card.place.lane, []).append(card)
    before = dict(mute)
    for lane, cards in late.items():
        since = mute.setdefault(lane, cards[0].created_at)
        _elsewhere(tx, rules, spare, (lane, since, reasons.get(lane, "")), cards, now)
    for lane in before.keys() - late.keys() - reasons.keys():
        _again(tx, lane, now - mute.pop(lane), now)
    if mute != before:
        tx.put_mark(MARK, mute)


def _elsewhere(
    tx: Tx, rules: Rules, spare: tuple[str, ...], silent: tuple[str, datetime, str], cards: list[Card], now: datetime
) -> None:
    """Show *cards* where another platform can, and say there what is wrong."""
    lane, since, why = silent
    others = [*chats_now(tx, rules, now), *spare]
    chosen = [chat for chat in dict.fromkeys(others) if Place(chat).platform != Place(lane).platform]
    chosen = chosen[:2] or [chat for chat in dict.fromkeys(others) if chat != lane][:1]
    for chat in chosen:
        for card in cards:
            if all(standing.place.lane != chat for standing in tx.cards_of(card.subject)):
                tx.show(Wish(card.subject, Place(chat), Priority.PAGE), now)
    notice = _notice(lane)
    if not tx.cards_of(notice) or tx.message(notice) != _mute(lane, since, why, len(cards)):
        tx.put_message(notice, _mute(lane, since, why, len(cards)))
        for chat in chosen:
            tx.show(Wish(notice, Place(chat), Priority.PAGE), now)


def _again(tx: Tx, lane: str, lasted: timedelta, now: datetime) -> None:
    """It delivers again: the notices say so, and the next silence is a new notice."""
    text = phrase("Pages reach {destination} again, after {length}.", destination=Code(lane), length=lasted)
    for card in tx.cards_of(_notice(lane)):
        kept = subject("notice", f"heard:{lane}:{int(now.timestamp())}")
        tx.put_message(kept, Message(text, Tone.OK))
        tx.show(Wish(kept, card.place, Priority.OPERATION, card.subject), now)


def _notice(lane: str) -> str:
    return subject("notice", f"mute:{lane}")


def _mute(lane: str, since: datetime, why: str, count: int) -> Message:
    title = phrase("Pages do not reach {destination}", destination=Code(lane))
    text = counted(
        "{n} page waits there since {at} and is shown here instead. Reason: {why}.",
        "{n} pages wait there since {at} and are shown here instead. Reason: {why}.",
        count, at=since, why=why or phrase("it does not answer"),
    )  # fmt: skip
    return Message(title, Tone.CRITICAL, (Paragraph(text),))
