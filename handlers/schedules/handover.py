"""Handover: when somebody else is on call, both hear it, with what is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.alerts import SEVERITIES, Group
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.messages import Block, Button, Lines, Message, Paragraph, Tone
from bot.domain.oncall import Shift
from bot.domain.operations import STATE_WORDS
from bot.domain.phrases import Code, Phrase, Strong, phrase
from bot.ports.clock import Clock
from bot.ports.roster import Roster
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting.rules import Rules, shifts_now

EVERY = 30.0
MARK = "on call"
KNOWN = timedelta(weeks=1)
"""A roster without a turn within this time on either side is not known."""
SHOWN = 10


def duty(store: Store, clock: Clock, rules: Rules) -> Periodic:
    """Compare who is on call with who was; rotation, calendar and overrides all show in this."""

    async def run() -> None:
        now = clock.now()
        roster = rules.roster()
        if roster is None or not roster.shifts(now - KNOWN, now + KNOWN):
            return  # a calendar that was never read is not an empty one
        shifts, before = await store.read(lambda tx: (shifts_now(tx, rules, now), tx.mark(MARK)))
        if before != tuple(shift.person for shift in shifts):
            await store.write(lambda tx: _handed(tx, rules, now))

    return Periodic("handover", EVERY, run)


def refreshing(roster: Callable[[], Roster | None]) -> Periodic:
    """Read the calendar again, so that a swap made there counts within minutes."""

    async def run() -> None:
        if found := roster():
            await found.refresh()

    return Periodic("roster", 300.0, run, everywhere=True)


def _handed(tx: Tx, rules: Rules, now: datetime) -> None:
    shifts, before = shifts_now(tx, rules, now), tx.mark(MARK)
    names = tuple(shift.person for shift in shifts)
    if names == before:
        return
    tx.put_mark(MARK, names)
    if before is None:
        return  # the first look after an installation is no handover
    what = subject("notice", f"handover:{int(now.timestamp())}")
    tx.put_message(what, _message(tx, shifts, before))
    people = rules.chats(f"person:{name}" for name in dict.fromkeys((*names, *before)))
    for chat in dict.fromkeys((*people, *rules.shared)):
        tx.show(Wish(what, Place(chat), Priority.ANSWER), now)


def _message(tx: Tx, shifts: tuple[Shift, ...], before: tuple[str, ...]) -> Message:
    blocks: list[Block] = []
    if before:
        blocks.append(Paragraph(phrase("Before: {people}. Thank you.", people=", ".join(before))))
    groups = sorted(tx.open_groups(), key=lambda group: (SEVERITIES.index(group.severity), group.since))
    if groups:
        blocks.append(Paragraph(phrase("Still open:")))
        blocks.append(Lines(tuple(map(_line, groups[:SHOWN])), max(0, len(groups) - SHOWN)))
    else:
        blocks.append(Paragraph(phrase("Nothing is firing.")))
    running = tuple(
        phrase("{id} {title}: {state}", id=Code(each.id), title=each.plan.title, state=STATE_WORDS[each.state])
        for each in tx.live_operations()
    )
    if running:
        blocks += [Paragraph(phrase("Operations under way:")), Lines(running)]
    buttons = (Button(phrase("Alerts"), "alerts"), Button(phrase("Status"), "status"))
    return Message(_title(shifts), Tone.INFO if shifts else Tone.WARNING, tuple(blocks), buttons)


def _title(shifts: tuple[Shift, ...]) -> Phrase:
    if not shifts:
        return phrase("Nobody is on call now")
    people = ", ".join(shift.person for shift in shifts)
    return phrase("On call now: {people}, until {at}", people=people, at=min(shift.ends for shift in shifts))


def _line(group: Group) -> Phrase:
    held = phrase(", held by {person}", person=group.ack.person) if group.ack else Phrase("")
    name = f"{group.name} · {group.service}" if group.service else group.name
    return phrase("{id} {name} since {at}{held}", id=Code(group.id), name=Strong(name), at=group.since, held=held)
