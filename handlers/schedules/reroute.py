"""Pages that do not arrive are shown elsewhere, and it is said why (promise 15)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from bot.domain.cards import LIVE, Card, Place, Priority, Wish, subject
from bot.domain.messages import Message, Paragraph, Tone
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting.rules import Rules, chats_now

LOOK_EVERY = 5.0
MARK = "mute"
NOTICE = subject("notice", "mute:")
SILENT = phrase("it does not answer")
Trouble = Callable[[], Mapping[str, Phrase]]


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


def _look(tx: Tx, rules: Rules, spare: tuple[str, ...], reasons: Mapping[str, Phrase], now: datetime) -> None:
    mute: dict[str, datetime] = dict(tx.mark(MARK) or {})
    late: dict[str, list[Card]] = {}
    for card in tx.late_pages(now - rules.patience):
        if not card.subject.startswith(NOTICE):  # what is said of one silent chat is of no use in another
            late.setdefault(card.place.lane, []).append(card)
    before = dict(mute)
    for lane, cards in late.items():
        since = mute.setdefault(lane, cards[0].created_at)
        chosen = _others(tx, rules, spare, lane, late.keys() | reasons.keys(), now)
        _elsewhere(tx, chosen, (lane, since, reasons.get(lane, SILENT)), cards, now)
    for lane in before.keys() - late.keys() - reasons.keys():
        _again(tx, lane, mute.pop(lane), now)
    if mute != before:
        tx.put_mark(MARK, mute)


def _others(
    tx: Tx, rules: Rules, spare: tuple[str, ...], lane: str, silent: Collection[str], now: datetime
) -> tuple[str, ...]:
    """Where the pages of *lane* are shown: on another platform, and where that is known to be *silent* too, anywhere.

    Of several silent ones nobody knows which comes back first.
    """
    every = [chat for chat in dict.fromkeys((*chats_now(tx, rules, now), *spare)) if chat != lane]
    heard = [chat for chat in every if chat not in silent]
    elsewhere = [chat for chat in heard if Place(chat).platform != Place(lane).platform]
    return tuple(elsewhere[:2] or heard[:1] or every[:2])


def _elsewhere(
    tx: Tx, chosen: Iterable[str], silent: tuple[str, datetime, Phrase], cards: list[Card], now: datetime
) -> None:
    """Show *cards* in the chats *chosen*, and say there what is wrong."""
    lane, since, why = silent
    for chat in chosen:
        for card in cards:
            if all(standing.place.lane != chat for standing in tx.cards_of(card.subject)):
                tx.show(Wish(card.subject, Place(chat), Priority.PAGE), now)
    notice, text = _notice(lane, since), _mute(lane, since, why, len({_page(card) for card in cards}))
    standing = {card.place.lane for card in tx.cards_of(notice)}
    if news := tx.message(notice) != text:
        tx.put_message(notice, text)
    for chat in chosen:
        if news or chat not in standing:
            tx.show(Wish(notice, Place(chat), Priority.PAGE), now)


def _again(tx: Tx, lane: str, since: datetime, now: datetime) -> None:
    """It delivers again: a reply says so, and no notice says otherwise any more."""
    text = phrase("Pages reach {destination} again, after {length}.", destination=Code(lane), length=now - since)
    notice, kept = _notice(lane, since), subject("notice", f"heard:{lane}:{int(now.timestamp())}")
    told = tx.cards_of(notice)
    tx.put_message(kept, Message(text, Tone.OK))
    for card in told:
        tx.show(Wish(kept, card.place, Priority.OPERATION, notice), now)
    if told:
        title = phrase("Pages did not reach {destination} for {length}", destination=Code(lane), length=now - since)
        tx.put_message(notice, Message(title, Tone.MUTED))
        tx.bump(notice, now)


def _page(card: Card) -> str:
    """Which page it is of: news of an alert are no page of their own."""
    return card.ident.partition("/")[0] if card.kind in {"alert", "news"} else card.subject


def _notice(lane: str, since: datetime) -> str:
    """One for each silence of *lane*: a later one must not be an edit of a message from last week."""
    return f"{NOTICE}{lane}:{int(since.timestamp())}"


def _mute(lane: str, since: datetime, why: Phrase, count: int) -> Message:
    title = phrase("Pages do not reach {destination}", destination=Code(lane))
    text = counted(
        "{n} page waits there since {at} and is shown here instead. Reason: {why}.",
        "{n} pages wait there since {at} and are shown here instead. Reason: {why}.",
        count, at=since, why=why,
    )  # fmt: skip
    return Message(title, Tone.CRITICAL, (Paragraph(text),))
