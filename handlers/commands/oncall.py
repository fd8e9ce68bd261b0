"""``oncall``, ``oncall take 2h`` and ``page <person> <text>``: who is on call, taking over, waking somebody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alerts import CRITICAL, OWN, Alert, Group
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.ids import ALERT, free
from bot.domain.messages import Aside, Block, Facts, Lines, Paragraph, Tone
from bot.domain.oncall import Shift, on_call
from bot.domain.people import Person
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store, Tx
from handlers.alerting import escalation
from handlers.alerting.rules import Rules, shifts_now
from handlers.cards.own import PAGE
from handlers.commands.replies import argument, done, misuse, said

AHEAD = timedelta(weeks=4)
NEXT = 4
LONGEST = timedelta(days=14)
"""An override longer than that belongs into the rotation."""
TEXT = 500


def oncall(store: Store, rules: Rules) -> Command:
    """Who is on call until when, who is next, who is told after them; or take over for a while."""

    async def run(call: Call) -> Reply:
        if call.args and call.args[0] in {"take", "беру"}:
            return await _take(store, call)
        now = call.now
        shifts, taken = await store.read(lambda tx: (shifts_now(tx, rules, now), tx.overrides(now, now + AHEAD)))
        return said(_title(shifts), *_blocks(rules, shifts, taken, now), tone=Tone.INFO if shifts else Tone.WARNING)

    return Command(
        ("oncall", "дежурный"),
        "oncall [take 2h]",
        phrase("who is on call, until when; take over for a while"),
        run,
        "oncall",
        examples=("oncall", "oncall take 2h"),
        reads=("show",),
    )


async def _take(store: Store, call: Call) -> Reply:
    usage = "oncall take 2h"
    try:
        length = parse_duration(argument(call, 1, usage))
    except ValueError as error:
        raise misuse(usage) from error
    if not timedelta() < length <= LONGEST:
        raise UserError("Take over for at most {longest}; longer belongs into the rotation.", longest=LONGEST)
    who, until = call.who.name, call.now + length

    def record(tx: Tx) -> None:
        tx.add_override(Shift(who, call.now, until, who))
        tx.append(call.deed("oncall", who, "took over", until.isoformat()))

    await store.write(record)
    return done(phrase("You are on call until {at}", at=until))


def _title(shifts: tuple[Shift, ...]) -> Phrase:
    if not shifts:
        return phrase("Nobody is on call")
    people = ", ".join(shift.person for shift in shifts)
    return phrase("{people} on call until {at}", people=people, at=min(shift.ends for shift in shifts))


def _blocks(rules: Rules, shifts: tuple[Shift, ...], taken: tuple[Shift, ...], now: datetime) -> list[Block]:
    blocks: list[Block] = []
    roster = rules.roster()
    if roster is None and not shifts:
        section = Code("[oncall]")
        text = phrase("No rotation and no calendar is known. Set one in section {section}.", section=section)
        blocks.append(Paragraph(text))
    coming = _coming(roster.shifts(now, now + AHEAD) if roster else (), shifts, taken, now)
    if coming:
        blocks.append(Facts(tuple(_turn(shift) for shift in coming[:NEXT])))
    levels = tuple(
        phrase("after {length}: {who}", length=rules.ladder.wait * number, who=", ".join(map(escalation.spoken, level)))
        for number, level in enumerate(rules.ladder.levels, 1)
    )
    if levels:
        blocks += [Paragraph(phrase("A page that nobody takes goes on to:")), Lines(levels)]
    blocks.append(Aside(phrase("{take} takes over for you.", take=Code("oncall take 2h"))))
    return blocks


def _coming(
    turns: tuple[Shift, ...], shifts: tuple[Shift, ...], taken: tuple[Shift, ...], now: datetime
) -> list[Shift]:
    """Turns that begin later, and the one that goes on when somebody who has taken over is through."""
    later = [shift for shift in (*turns, *taken) if shift.starts > now]
    ends = min((shift.ends for shift in shifts), default=now)
    resumed = [replace(shift, starts=ends) for shift in on_call(turns, taken, ends) if shift.starts < ends]
    return sorted([*(resumed if shifts else ()), *later], key=lambda shift: shift.starts)


def _turn(shift: Shift) -> tuple[Phrase, Phrase]:
    return phrase("From {at}", at=shift.starts), verbatim(shift.person)


def page(store: Store, rules: Rules) -> Command:
    """Wake one person with a text; without an answer it climbs like every page."""

    async def run(call: Call) -> Reply:
        usage = "page <person> <text>"
        person = _person(rules, argument(call, 0, usage))
        argument(call, 1, usage)
        text = " ".join(call.args[1:])[:TEXT]
        chats = rules.chats([f"person:{person.name}"])
        if not chats:
            raise UserError("{person} has no chat that pult can write to.", person=person.name)
        group = await store.write(lambda tx: _paged(tx, rules, call, person, text, chats))
        return done(phrase("{person} is being woken ({id})", person=person.name, id=Code(group.id)), _then(rules))

    return Command(
        ("page", "вызвать"), "page <person> <text>", phrase("wake a person"), run, "page",
        examples=tuple(f"page {person.name} the database is on fire" for person in list(rules.people)[:1]),
    )  # fmt: skip


def _then(rules: Rules) -> Phrase:
    if not escalation.staffed(rules):
        return phrase("Nobody else is told: there is no rotation, no calendar and no levels.")
    return phrase("Without an answer within {length} the next on the list are told.", length=rules.ladder.wait)


def _person(rules: Rules, name: str) -> Person:
    person = rules.people.named(name) or rules.people.named(name.lower().lstrip("@"))
    if person is None:
        names = ", ".join(each.name for each in rules.people)
        raise UserError("There is no {person} here. Known: {names}.", person=Code(name[:40]), names=names)
    return person


def _paged(tx: Tx, rules: Rules, call: Call, person: Person, text: str, chats: tuple[str, ...]) -> Group:
    key = f"{OWN} page {call.request.id}"
    if known := tx.latest_group(key):
        return known
    labels = {"alertname": PAGE, "severity": CRITICAL, "from": call.who.name, "to": person.name}
    ident = free(ALERT, key, tx.group)
    alert = Alert(key, labels, {"summary": text}, call.now)
    # Without an answer whoever is on call comes next, unless that is the very person.
    told = int(any(shift.person == person.name for shift in shifts_now(tx, rules, call.now)))
    group = Group(ident, key, OWN, labels, {key: alert}, call.now, receiver=OWN, pages=True, told=told)
    group = group.logged(call.now, "fired", call.who.name).logged(call.now, "paged", person.name)
    tx.save_group(group)
    for chat in chats:
        tx.show(Wish(subject("alert", ident), Place(chat), Priority.PAGE), call.now)
    if escalation.staffed(rules):
        tx.set_timer(escalation.KIND, ident, call.now + rules.ladder.wait)
    tx.append(call.deed("page", person.name, ident, text))
    return group
