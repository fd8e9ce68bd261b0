"""Escalation: a page that nobody takes wakes the next, step by step."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts import Group, Status
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.oncall import ROUNDS
from bot.ports.store import Tx
from handlers.alerting.news import happened, tell
from handlers.alerting.rules import Rules, chats_now, shifts_now

KIND = "escalate"
ROSTER_SOON = timedelta(seconds=5)
"""A page may come in before the calendar is open: who is on call is asked again then."""


def begin(tx: Tx, rules: Rules, group: Group, now: datetime) -> Group:
    """Wake whoever is on call, and set the clock for the next. Without anybody to wake nothing happens."""
    if rules.staffed and rules.roster() is None:
        tx.set_timer(KIND, group.id, now + ROSTER_SOON)
        return group
    return climb(tx, rules, group, now) if staffed(rules) else group


def staffed(rules: Rules) -> bool:
    """Whether there is to be anybody to wake."""
    return rules.staffed or bool(rules.ladder.levels)


def climb(tx: Tx, rules: Rules, group: Group, now: datetime) -> Group:
    """Take the next step of the ladder: its chats get the card, or a reminder under it; the others hear who is told."""
    rungs = _rungs(tx, rules, now)
    at = group.told
    if at >= len(rungs) * ROUNDS:
        tx.drop_timer(KIND, group.id)
        group = happened(group, now, "unanswered" if rungs else "nobody")
        tell(tx, group, now, loud=True)
        return group
    who, destinations = rungs[at % len(rungs)]
    what = subject("alert", group.id)
    standing = {card.place.lane: card.priority for card in tx.cards_of(what)}
    fresh = [destination for destination in destinations if destination not in standing]
    for destination in destinations:
        if standing.get(destination) is not Priority.PAGE:  # one that waits for the end of quiet hours comes now
            tx.show(Wish(what, Place(destination), Priority.PAGE), now)
    group = happened(group, now, "escalated" if at else "paged", who, told=at + 1)
    if at:
        tell(tx, group, now, loud=True, but=fresh)
    tx.set_timer(KIND, group.id, now + rules.ladder.wait)
    return group


def due(tx: Tx, rules: Rules, ident: str, now: datetime) -> None:
    """The clock has run out: climb, unless somebody has it by now."""
    group = tx.group(ident)
    if group is not None and waits(group):
        tx.save_group(climb(tx, rules, group, now))
        tx.bump(subject("alert", ident), now)


def waits(group: Group) -> bool:
    """Whether the group is a page that still fires, and that nobody has taken or silenced."""
    return group.pages and group.status is Status.FIRING and group.ack is None and group.silenced is None


def spoken(destination: str) -> str:
    """A destination as people say it: a person or a paging provider by name."""
    platform, _, name = destination.partition(":")
    return name if platform in {"person", "webhook"} else destination


def _rungs(tx: Tx, rules: Rules, now: datetime) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Who is told at each step, in words and as chats; the first is whoever is on call.

    A step without a chat is none: nobody would hear of it.
    """
    names = ", ".join(shift.person for shift in shifts_now(tx, rules, now))
    levels = ((", ".join(map(spoken, level)), rules.chats(level)) for level in rules.ladder.levels)
    return tuple(rung for rung in ((names, chats_now(tx, rules, now)), *levels) if rung[1])
