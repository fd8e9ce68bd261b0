"""The contact check of a drill: whoever would be called is asked, in private, to press one button. Nobody is paged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.audit import Deed
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.contacts import Asked, Roll, rolled
from bot.domain.messages import Aside, Button, Message, Paragraph, Style, Tone
from bot.domain.people import Person
from bot.domain.phrases import Code, Phrase, Strong, phrase
from bot.ports.presenters import Presenter
from bot.ports.store import Tx
from handlers.alerting.rules import Rules, shifts_now

KIND = "contact"


@dataclass(frozen=True)
class Contact:
    """What one person's card shows."""

    roll: Roll
    asked: Asked


def called(tx: Tx, rules: Rules, now: datetime) -> tuple[Person, ...]:
    """Everybody whom an unanswered page would come to: whose turn it is, then each level."""
    names = [shift.person for shift in shifts_now(tx, rules, now)]
    found = [rules.people.named(name) for name in names]
    for level in rules.ladder.levels:
        for destination in level:
            name = destination.removeprefix("person:")
            found.append(rules.people.named(name) if destination.startswith("person:") else rules.owner(destination))
    return tuple({person.name: person for person in found if person is not None}.values())


def begin(tx: Tx, rules: Rules, operation: str, since: datetime, answer: timedelta) -> Roll:
    """Ask, once for each round that begins at *since*: again only those who have not answered."""
    known: Roll | None = tx.mark(rolled(operation))
    if known is not None and known.since >= since:  # a crash lies between
        return known
    until = since + answer
    roll = known.again(since, until) if known else Roll(operation, since, until, _asked(tx, rules, since))
    tx.put_mark(rolled(operation), roll)
    for each in roll.waiting:
        what = _subject(operation, each.person)
        person = rules.people.named(each.person)
        for chat in rules.chats((f"person:{each.person}",)):
            own = (person.locale, person.zone) if person else ("", "")
            tx.show(Wish(what, Place(chat, locale=own[0], zone=own[1]), Priority.NORMAL), since)
    return roll


def close(tx: Tx, operation: str, now: datetime) -> Roll:
    """The time is over, or everybody has answered: the cards of those who have not say so."""
    roll: Roll = tx.mark(rolled(operation))
    closed = replace(roll, closed=True)
    if closed != roll:
        tx.put_mark(rolled(operation), closed)
        for each in closed.waiting:
            tx.bump(_subject(operation, each.person), now)
    return closed


def press(tx: Tx, operation: str, person: str, platform: str, now: datetime) -> Phrase:
    """The answer of *person*, once, from whichever platform came first; late ones are thanked, too."""
    roll: Roll | None = tx.mark(rolled(operation))
    before = roll.of(person) if roll else None
    if roll is None or before is None:
        return phrase("Thank you. Nobody asked you this time: you are not on call.")
    if before.answered is not None:
        return phrase("Thank you, your answer is noted already.")
    roll = roll.pressed(person, platform, now)
    tx.put_mark(rolled(operation), roll)
    tx.append(Deed(now, person, platform, "contact", operation, "answered"))
    tx.bump(_subject(operation, person), now)
    answered = roll.of(person) or before
    took = timedelta(seconds=round((now - answered.at).total_seconds()))
    if roll.late(answered):
        return phrase("Thank you for answering. The time for it was over {at}; the report says that you came.",
                      at=roll.until)  # fmt: skip
    return phrase("Thank you, {person}. You answered after {time}.", person=Strong(person), time=took)


def presenter() -> Presenter:
    """One person's question, and what became of it."""
    return Presenter(_load, draw)


def draw(contact: Contact) -> Message:
    """The same on each platform; it has one button while an answer helps."""
    asked, roll = contact.asked, contact.roll
    note = Aside(phrase("{id}: a rehearsal. Nothing is wrong, and nobody is paged.", id=Code(roll.operation)))
    if asked.answered is not None and asked.took is not None:
        took = timedelta(seconds=round(asked.took.total_seconds()))
        said = phrase("You answered after {time}. Thank you.", time=took)
        return Message(phrase("Drill: you are there"), Tone.OK, (Paragraph(said), note))
    button = Button(phrase("I am here"), f"drill here {roll.operation}", style=Style.PRIMARY)
    if roll.closed:
        late = phrase("The time was over {until}. Press it all the same: the report says when you came.",
                      until=roll.until)  # fmt: skip
        return Message(phrase("Drill: the time to answer is over"), Tone.MUTED, (Paragraph(late), note), (button,))
    title = phrase("Drill: would you answer now?")
    said = phrase("Press the button before {until}, as you would if a region had failed.", until=roll.until)
    return Message(title, Tone.WARNING, (Paragraph(said), note), (button,))


def _load(tx: Tx, ident: str) -> Contact | None:
    operation, _, person = ident.partition("/")
    roll: Roll | None = tx.mark(rolled(operation))
    asked = roll.of(person) if roll else None
    return Contact(roll, asked) if roll and asked else None


def _asked(tx: Tx, rules: Rules, now: datetime) -> tuple[Asked, ...]:
    """Whose quiet time it is stays undisturbed, as by everything that does not burn."""
    return tuple(
        Asked(
            person.name, now,
            tuple(dict.fromkeys(chat.partition(":")[0] for chat in rules.chats((f"person:{person.name}",)))),
            spared=person.quiet is not None and person.quiet.until(now) is not None,
        )
        for person in called(tx, rules, now)
    )  # fmt: skip


def _subject(operation: str, person: str) -> str:
    return subject(KIND, f"{operation}/{person}")
