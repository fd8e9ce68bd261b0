"""Freezes that people set: kept as a mark and a timer each, told when they begin and when they are over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.conditions import told
from bot.domain.freezes import EVERYTHING, Freeze, Window, frozen
from bot.domain.messages import Aside, Button, Confirm, Message, Tone
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.ports.store import Tx

KIND = "freeze"
"""Of the timers; the mark of each has this before the service's name."""
Frozen = Callable[[Tx, str, datetime], Freeze | None]
"""What freezes a service at a time, by command or by the calendar."""


def lookup(windows: Iterable[Window]) -> Frozen:
    """*windows* are the calendar's."""
    calendar = tuple(windows)
    return lambda tx, service, now: frozen(service, now, kept(tx), calendar)


def kept(tx: Tx) -> tuple[Freeze, ...]:
    """Every freeze that somebody set and that is not over, the next to end first."""
    found = (tx.mark(_mark(timer.ident)) for timer in tx.timers(KIND))
    return tuple(freeze for freeze in found if freeze is not None)


def of(tx: Tx, service: str) -> Freeze | None:
    """What somebody set on *service* itself (EVERYTHING: on each one)."""
    found: Freeze | None = tx.mark(_mark(service))
    return found


def begin(tx: Tx, chats: Iterable[str], made: Freeze, now: datetime) -> None:
    """Freeze, and tell *chats*; an earlier freeze of the same service gives way to this one."""
    earlier = tx.mark(_mark(made.service))
    if earlier is not None:
        _end(tx, earlier, phrase("{what}: another freeze took its place", what=_what(earlier)), now, loud=False)
    freeze = replace(made, since=now)
    tx.put_mark(_mark(freeze.service), freeze)
    tx.set_timer(KIND, freeze.service, freeze.until)
    tx.put_message(_card(freeze), _standing(freeze))
    for chat in chats:
        tx.show(Wish(_card(freeze), Place(chat), Priority.OPERATION), now)


def prolong(tx: Tx, freeze: Freeze, until: datetime, now: datetime) -> None:
    """The same one, to a later end; its cards say so, and nobody is told anew."""
    longer = replace(freeze, until=until)
    tx.put_mark(_mark(freeze.service), longer)
    tx.set_timer(KIND, freeze.service, until)
    tx.put_message(_card(longer), _standing(longer))
    tx.bump(_card(longer), now)


def lift(tx: Tx, service: str, who: str, now: datetime) -> None:
    """End the freeze of *service* (EVERYTHING: the one of all) early."""
    freeze = tx.mark(_mark(service))
    if freeze is not None:
        _forget(tx, freeze)
        _end(tx, freeze, phrase("{what} is no longer frozen: {person} ended it", what=_what(freeze), person=who), now)


def over(tx: Tx, service: str, now: datetime) -> None:
    """The timer of one has run out."""
    freeze = tx.mark(_mark(service))
    if freeze is not None:
        _forget(tx, freeze)
        _end(tx, freeze, phrase("{what} is no longer frozen", what=_what(freeze)), now)


def _forget(tx: Tx, freeze: Freeze) -> None:
    tx.put_mark(_mark(freeze.service), None)
    tx.drop_timer(KIND, freeze.service)


def _end(tx: Tx, freeze: Freeze, said: Phrase, now: datetime, *, loud: bool = True) -> None:
    """Its card stays, and says so; a reply under it is what people notice."""
    standing = tx.cards_of(_card(freeze))
    tx.put_message(_card(freeze), Message(said, Tone.MUTED, (Aside(_was(freeze)),)))
    tx.bump(_card(freeze), now)
    if not loud:
        return
    news = f"{_card(freeze)}:over"
    tx.put_message(news, Message(said, Tone.OK))
    for card in standing:
        tx.show(Wish(news, card.place, Priority.NORMAL, _card(freeze)), now)


def _standing(freeze: Freeze) -> Message:
    sure = Confirm(phrase("Unfreeze?"), phrase("Promotions of {what} may go on at once.", what=_what(freeze)))
    button = Button(phrase("Unfreeze"), f"unfreeze {freeze.service}", confirm=sure)
    note = phrase("Plans to promote are held; {command} is never.", command=Code("rollback"))
    return Message(told(freeze), Tone.WARNING, (Aside(note),), (button,))


def _was(freeze: Freeze) -> Phrase:
    return phrase("It was frozen by {person}: {why}", person=freeze.by, why=freeze.why)


def _what(freeze: Freeze) -> Phrase:
    return phrase("Everything") if freeze.service == EVERYTHING else verbatim(freeze.service)


def _mark(service: str) -> str:
    return f"{KIND}:{service}"


def _card(freeze: Freeze) -> str:
    """One for each freeze: a later one must not be an edit of a message from last week."""
    at = int(freeze.since.timestamp()) if freeze.since else 0
    return subject("notice", f"{KIND}:{freeze.service}:{at}")
